public import Reporting

/// Passwords where others can read them.
public enum ConnectionSecret {
    private static let wayOut =
        "Keep it in a file that its owner alone reads: 'passfile=FILE', a service file, or the systemd credential migrated.pgpass; see docs/connections.md."

    /// Throws `.usage` where a connection string of the command line holds a password: everybody on the machine can read that in the list of
    /// processes, as long as the program runs, and the shell keeps it.
    public static func refuse(in conninfo: String?, argument: String) throws(Complaint) {
        guard let name = name(in: conninfo) else { return }
        throw Complaint(
            .usage, "'\(argument)' holds a \(name), which everybody on this machine can read in the list of processes",
            hint: wayOut)
    }

    /// Throws `.permission` where a connection string of a file holds a password and others than its owner may read the file.
    public static func refuse(in conninfo: String?, file: String, mode: UInt32) throws(Complaint) {
        guard mode & 0o044 != 0, let name = name(in: conninfo) else { return }
        throw Complaint(
            .permission,
            "'\(file)' holds a \(name), and others than its owner may read it (mode 0\(String(mode, radix: 8)))",
            hint: "Type 'chmod go-r \(file)', or better: \(wayOut.prefix(1).lowercased() + wayOut.dropFirst())")
    }

    /// What to say of a password in the environment; nil where there is none. systemd shows a unit's variables to every user, and every child
    /// has them.
    public static var warning: String? {
        guard ConnectionTarget.hasPasswordInEnvironment else { return nil }
        return
            "the environment holds a password (PGPASSWORD), which children inherit and systemd shows to everybody where a unit sets it; "
            + "use a passfile or a systemd credential instead"
    }

    private static func name(in conninfo: String?) -> String? {
        // One that is not a connection string is told when it is used.
        conninfo.flatMap { try? ConnectionTarget($0, applicationName: "") }?.secretName
    }
}
