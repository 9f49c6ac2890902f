internal import Reporting

/// Flags of the tool of the same name that steers the kernel's audit system, auditctl(8) of auditd.
enum KernelFlags {
    /// Those that are none of ours, so that a script that meets the wrong program learns of it at once.
    private static let flags: Set<String> = [
        "-A", "-C", "-D", "-F", "-R", "-S", "-W", "-a", "-b", "-c", "-d", "-e", "-i", "-k", "-l", "-m", "-p", "-q",
        "-s", "-t", "-v", "-w", "--backlog_wait_time", "--loginuid-immutable", "--reset-lost", "--signal",
    ]

    /// What to say where the first word is one of them.
    static func complaint(_ arguments: [String]) -> Complaint? {
        guard let first = arguments.first, flags.contains(first) else { return nil }
        return Complaint(
            .usage, "auditctl of migrated is not the kernel's audit tool, and '\(first)' is a flag of that one",
            hint: "The kernel's is /sbin/auditctl of the package auditd; of this one see 'auditctl --help'.")
    }
}
