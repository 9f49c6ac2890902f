internal import Glibc
public import Reporting

/// Whether others than root and this process's own user could put something else where a path leads: every directory up to the root, and
/// that of every symbolic link on the way, as sshd looks at them (sshd_config(5), StrictModes).
///
/// A directory that others may write is safe only with the sticky bit, as /tmp is, and where what the path takes from it belongs to root or
/// this user: then nobody else can remove or rename that (unlink(2), EPERM).
public enum SafePath {
    /// Who could change what.
    public struct Problem: Sendable, Equatable {
        /// `directory '/srv/app' is owned by …`.
        public var what: String
        /// The command that ends it.
        public var command: String
    }

    /// What is wrong above `path` (bytes; relative ones are from the working directory). The walk ends where nothing is: whoever opens it says
    /// so.
    ///
    /// From the root on, so that each step is made in a directory that is safe: nobody else can change what was looked at.
    public static func problem(above path: [UInt8], effectiveUser: UInt32 = Process.effectiveUser) -> Problem? {
        let slash = UInt8(ascii: "/")
        // A descriptor that was handed over has no directory that counts.
        guard let kind = FileFacts(at: path, followed: true)?.kind, kind == .regular || kind == .directory else {
            return nil
        }
        var rest = (path.first == slash ? path : workingDirectory() + [slash] + path).split(separator: slash)[...]
        var directory: [[UInt8]] = []
        var links = 0
        while let name = rest.popFirst().map({ Array($0) }) {
            if name == Array(".".utf8) { continue }
            if name == Array("..".utf8) {
                _ = directory.popLast()
                continue
            }
            let place = joined(directory)
            guard let facts = FileFacts(at: place, followed: false),
                let entry = FileFacts(at: joined(directory + [name]), followed: false)
            else { return nil }
            if let problem = problem(of: facts, place, holding: entry, effectiveUser) { return problem }
            guard entry.kind == .symbolicLink else {
                directory.append(name)
                continue
            }
            links += 1
            guard links <= 40, let target = target(of: joined(directory + [name])) else { return nil }
            if target.first == slash { directory = [] }
            rest = (target.split(separator: slash) + rest)[...]
        }
        return nil
    }

    /// Throws `.permission` where somebody else could change the file at `path` itself, or what stands there. Nothing where it is missing.
    public static func require(_ path: String) throws(Complaint) {
        let bytes = Array(path.utf8)
        guard let facts = FileFacts(at: bytes, followed: true) else { return }
        try require(path, facts)
    }

    /// The same for a file whose facts are known.
    static func require(_ path: String, _ facts: FileFacts) throws(Complaint) {
        guard facts.kind == .regular || facts.kind == .directory else { return }
        if let what = facts.permissionProblem(effectiveUser: Process.effectiveUser) {
            let command = command(for: facts, path)
            throw Complaint(.permission, "'\(path)' \(what)", hint: "Type '\(command)', after a look at what it holds.")
        }
        if let problem = problem(above: Array(path.utf8)) {
            throw Complaint(
                .permission, "'\(path)' could be exchanged by others: \(problem.what)",
                hint: "Type '\(problem.command)', or keep it elsewhere.")
        }
    }

    private static func problem(
        of facts: FileFacts, _ place: [UInt8], holding entry: FileFacts, _ effectiveUser: UInt32
    ) -> Problem? {
        guard let what = facts.permissionProblem(effectiveUser: effectiveUser) else { return nil }
        let isOurs = facts.user == 0 || facts.user == effectiveUser
        let isOursWithin = entry.user == 0 || entry.user == effectiveUser
        if isOurs, facts.mode & UInt32(S_ISVTX) != 0, isOursWithin { return nil }
        let path = String(decoding: place, as: UTF8.self)
        return Problem(what: "directory '\(path)' \(what)", command: command(for: facts, path))
    }

    private static func command(for facts: FileFacts, _ path: String) -> String {
        facts.user == 0 || facts.user == Process.effectiveUser ? "chmod go-w \(path)" : "chown root \(path)"
    }

    private static func joined(_ names: [[UInt8]]) -> [UInt8] {
        names.isEmpty ? [UInt8(ascii: "/")] : names.flatMap { [UInt8(ascii: "/")] + $0 }
    }

    private static func workingDirectory() -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard unsafe getcwd(&buffer, buffer.count) != nil else { return [] }
        return buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
    }

    private static func target(of path: [UInt8]) -> [UInt8]? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe withPath(path) { unsafe readlink($0, &buffer, buffer.count) }
        return count > 0 ? buffer[..<count].map(UInt8.init(bitPattern:)) : nil
    }
}
