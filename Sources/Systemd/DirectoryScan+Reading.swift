internal import CLinux
internal import Glibc
public import Reporting

extension DirectoryScan {
    /// The bytes of a file, exactly those that it held in the state in which it was listed.
    ///
    /// Never hangs on what is no regular file. The complaint's status tells what is wrong: 75 (`tryLater`) where the file has changed since
    /// it was listed or while it was read (scan again), 65 (`badFile`) where it is no regular file or larger than `limit` bytes, 77 and 74
    /// as for every failed call. With `refusingWriters` 75 too where somebody is known to have it open for writing.
    public func read(_ entry: DirectoryEntry, limit: Int, refusingWriters: Bool = false) throws(Complaint) -> [UInt8] {
        try read(entry, limit: limit, refusingWriters: refusingWriters, beforeSecondLook: {})
    }

    func read(
        _ entry: DirectoryEntry, limit: Int, refusingWriters: Bool = false, beforeSecondLook: () -> Void
    ) throws(Complaint) -> [UInt8] {
        let shown = "\(path)/\(entry.path)"
        if case .other(let reason) = entry.kind { throw Complaint(.badFile, "cannot read '\(shown)': \(reason)") }
        guard entry.kind == .file else { throw Complaint(.badFile, "cannot read '\(shown)': it is a directory") }
        if entry.facts.size > limit {
            // Once it is written it may be another size.
            if refusingWriters, isBeingWritten(entry) == true { throw DirectoryScan.beingWritten(shown) }
            throw DirectoryScan.tooLarge(shown, limit)
        }
        var isWritten = false
        do throws(SystemFailure) {
            let file = try open(entry, shown)
            isWritten = refusingWriters && try_read_lease(file.number) == EAGAIN
            if isWritten { throw SystemFailure("read", path: shown, errno: EAGAIN) }
            let before = try FileFacts(of: file, path: shown)
            if before != entry.facts { throw SystemFailure("read", path: shown, errno: ESTALE) }
            let bytes = try WholeFile.read(file, limit: limit, expected: Int(before.size), path: shown, isRegular: true)
            beforeSecondLook()
            let after = try FileFacts(of: file, path: shown)
            if before != after || bytes.count != after.size { throw SystemFailure("read", path: shown, errno: ESTALE) }
            return bytes
        } catch {
            if isWritten { throw DirectoryScan.beingWritten(shown) }
            switch error.errno {
            // Not there any more, or something else in its place.
            case ESTALE, ENOENT, ENOTDIR, ELOOP, EXDEV, ENXIO:
                throw Complaint(.tryLater, "'\(shown)' changed while it was being read")
            case EFBIG: throw DirectoryScan.tooLarge(shown, limit)
            default: throw error.complaint
            }
        }
    }

    /// Whether somebody has the file open for writing; nil where that cannot be known.
    ///
    /// By a lease (fcntl(2), F_SETLEASE) that is given back at once: it needs the file's owner or CAP_LEASE and a local file system.
    public func isBeingWritten(_ entry: DirectoryEntry) -> Bool? {
        guard entry.kind == .file, let file = try? open(entry, entry.path) else { return nil }
        return switch try_read_lease(file.number) {
        case 0: false
        case EAGAIN: true
        default: nil
        }
    }

    private func open(_ entry: DirectoryEntry, _ shown: String) throws(SystemFailure) -> Descriptor {
        try DirectoryScan.open(
            entry.pathBytes, in: directory, O_RDONLY | O_NONBLOCK | O_NOCTTY, following: entry.isSymbolicLink,
            path: shown)
    }

    /// What to tell where a file is not read yet because somebody has it open for writing.
    public static func beingWritten(_ path: String) -> Complaint {
        Complaint(
            .tryLater, "'\(path)' is still being written", hint: "It is read once whoever writes it has closed it.")
    }

    private static func tooLarge(_ shown: String, _ limit: Int) -> Complaint {
        Complaint(
            .badFile, "'\(shown)' is larger than \(limit) bytes",
            hint: "Raise 'size-limit' in the configuration, or split the file into several migrations.")
    }
}
