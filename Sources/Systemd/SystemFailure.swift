internal import Glibc
public import Reporting

/// A system call that failed, and on what.
public struct SystemFailure: Complaining, Equatable, Sendable {
    /// What was tried, as a verb that follows "cannot": `open`, `watch`.
    public var operation: String
    /// The error number; see errno(3).
    public var errno: Int32
    /// The file it was tried on.
    public var path: String?

    /// A failure from its parts.
    public init(_ operation: String, path: String? = nil, errno: Int32) {
        self.operation = operation
        self.path = path
        self.errno = errno
    }

    /// The failure of the call that was just made.
    static func last(_ operation: String, path: String? = nil) -> SystemFailure {
        SystemFailure(operation, path: path, errno: Glibc.errno)
    }

    /// Whether something of that name was there already.
    public var isExisting: Bool { errno == EEXIST }

    /// Whether there was nothing of that name.
    public var isMissing: Bool { errno == ENOENT }

    /// The system's words for the error number.
    public var reason: String { unsafe String(cString: strerror(errno)) }

    /// Whether the reason lies in what was named. Anything else, such as a limit that is reached or a disk that fails, says nothing of it.
    var isAboutItsObject: Bool {
        [ENOENT, ENOTDIR, EACCES, EPERM, ELOOP, EXDEV, ENXIO, ENAMETOOLONG].contains(errno)
    }

    /// `cannot open '/srv/x': Permission denied`; status 77 where permission is missing, 74 else.
    public var complaint: Complaint {
        let object = path.map { " '\($0)'" } ?? ""
        let status: ExitStatus = errno == EACCES || errno == EPERM ? .permission : .inputOutput
        return Complaint(status, "cannot \(operation)\(object): \(reason)", hint: SystemFailure.hint(errno))
    }
}

extension SystemFailure {
    /// What to do about a limit that is reached.
    private static func hint(_ errno: Int32) -> String? {
        switch errno {
        case EMFILE: "Raise the limit of open files: LimitNOFILE= in the unit, 'ulimit -n' by hand."
        case ENFILE: "The whole machine has no open file left: end what uses them, or raise fs.file-max."
        case ELIBACC: "Install the Debian package that has it; 'apt-file search' or packages.debian.org says which."
        default: nil
        }
    }
}

/// Makes a system call again as long as a signal interrupts it. Never for close(2), whose descriptor is gone either way.
func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result >= 0 || Glibc.errno != EINTR { return result }
    }
}
