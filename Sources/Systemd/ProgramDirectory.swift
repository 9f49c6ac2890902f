internal import Glibc

/// A directory of programs that an operator put there, as run-parts(8) has it: names of letters, digits, `_` and `-` alone, in order.
public enum ProgramDirectory {
    /// The paths of the executables in `directory`.
    ///
    /// - Parameter refused: told of each file that is executable and yet not to be run, and why: others than root and this process's own user
    ///   could have written it.
    public static func programs(
        in directory: String, refused: (_ name: String, _ why: String) -> Void
    ) throws(SystemFailure) -> [String] {
        let folder = try Descriptor(opening: directory, O_RDONLY | O_DIRECTORY)
        let facts = try FileFacts(of: folder, path: directory)
        guard isTrusted(facts) else {
            refused(directory, "others than its owner may write the directory, or its owner is not root")
            return []
        }
        if let problem = SafePath.problem(above: Array(directory.utf8)) {
            refused(directory, problem.what)
            return []
        }
        var programs: [String] = []
        for name in try DirectoryNames.list(folder, path: directory).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard name.allSatisfy(isPlain) else { continue }
            let path = directory + "/" + String(decoding: name, as: UTF8.self)
            guard let facts = FileFacts(at: Array(path.utf8), followed: true), facts.kind == .regular,
                facts.mode & 0o111 != 0
            else { continue }
            guard isTrusted(facts) else {
                refused(path, "others than its owner may write it, or its owner is not root")
                continue
            }
            // A symbolic link may lead to where others write.
            if let problem = SafePath.problem(above: Array(path.utf8)) {
                refused(path, problem.what)
                continue
            }
            programs.append(path)
        }
        return programs
    }

    private static func isTrusted(_ facts: FileFacts) -> Bool {
        (facts.user == 0 || facts.user == Process.effectiveUser) && facts.mode & 0o022 == 0
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
