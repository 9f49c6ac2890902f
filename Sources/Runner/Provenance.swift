internal import Digest
internal import JSON
internal import Reporting
internal import Systemd

/// Where a run comes from, as far as can be seen: who sits at which terminal, which release or commit the files are of, and whose each file is.
///
/// Read once a run; what cannot be read is left out. Nothing here decides anything.
struct Provenance {
    /// Members for the detail of an attempt's beginning.
    var members: [String: JSONValue] = [:]

    private var owners: [UInt32: String] = [:]

    /// Members for the beginning of an attempt at a file with these facts: its owner's name, its mode, and when its text changed last.
    mutating func members(of file: FileFacts?) -> [String: JSONValue] {
        guard let file else { return members }
        let owner = owners[file.user] ?? Process.userName(of: file.user) ?? String(file.user)
        owners[file.user] = owner
        let digits = String(file.mode, radix: 8)
        let modified = Timestamp(microseconds: file.modified / 1000 - Timestamp.unixOffset * 1_000_000)
        var members = members
        members["file"] = [
            "owner": .string(Printable.line(owner, limit: 200)), "modified": .string(modified.description),
            "mode": .string(String(repeating: "0", count: max(0, 4 - digits.count)) + digits),
        ]
        return members
    }

    /// Looks at this process and at `directory`; git runs in `loop`.
    init(directory: String, loop: PollLoop) {
        func set(_ name: String, _ text: String?) {
            if let text, !text.isEmpty { members[name] = .string(Printable.line(text, limit: 200)) }
        }
        set("sudo_user", Process.environment("SUDO_USER"))
        set("terminal", Process.terminalName)
        if let (commit, objects) = Provenance.commit(of: directory) {
            set("git_commit", commit)
            set("git_author", Provenance.author(of: commit, in: objects, loop))
        }
        for name in ["RELEASE", "release.toml"] where members["release"] == nil {
            set(
                "release",
                Provenance.text("\(directory)/\(name)").map { $0.split(separator: "\n").joined(separator: "; ") })
        }
    }

    /// The commit that is checked out where `directory` lies in a work tree, and the folder of that repository's objects; see
    /// gitrepository-layout(5). Nil for a repository that somebody else could have put there: it would name an author of his choice.
    private static func commit(of directory: String) -> (commit: String, objects: String)? {
        let owners = TrustedOwners(of: directory)
        var parts = directory.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
        while true {
            let folder = "/" + parts.joined(separator: "/")
            if let found = repository(folder) {
                let common = text("\(found)/commondir").map { joined(found, $0) } ?? found
                let objects = "\(common)/objects"
                guard [folder, "\(folder)/.git", found, common, objects].allSatisfy(owners.own) else { return nil }
                return checkedOut(found, common: common).map { ($0, objects) }
            }
            if parts.popLast() == nil { return nil }
        }
    }

    /// The repository of the work tree `folder`: `.git`, or what that names where it is a file, as in a submodule.
    private static func repository(_ folder: String) -> String? {
        let git = "\(folder)/.git"
        if ConfigurationFile.exists("\(git)/HEAD") { return git }
        let prefix = "gitdir: "
        guard let link = text(git), link.utf8.starts(with: prefix.utf8) else { return nil }
        return joined(folder, String(link.dropFirst(prefix.count)))
    }

    private static func checkedOut(_ repository: String, common: String) -> String? {
        guard let head = text("\(repository)/HEAD") else { return nil }
        let prefix = "ref: "
        guard head.utf8.starts(with: prefix.utf8) else { return identifier(head.utf8) }
        let name = String(decoding: head.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
        for place in [repository, common] {
            if let found = text("\(place)/\(name)") { return identifier(found.utf8) }
        }
        // IDENTIFIER NAME
        let packed = text("\(common)/packed-refs")?.utf8.split(separator: UInt8(ascii: "\n")).first { line in
            line.drop { $0 != UInt8(ascii: " ") }.elementsEqual(" \(name)".utf8)
        }
        return packed.flatMap { line in identifier(line.prefix { $0 != UInt8(ascii: " ") }) }
    }

    /// The author as the commit names it; nil where there is no git, or no such commit.
    ///
    /// The repository may be of a user with fewer rights than ours, and its configuration could name programs to run and files to read. It is
    /// never read: git gets an empty repository of our own, and of the other one nothing but the objects (git(1), "GIT_OBJECT_DIRECTORY").
    private static func author(of commit: String, in objects: String, _ loop: PollLoop) -> String? {
        let outcome = try? ChildProcess.run(
            "/usr/bin/env",
            [
                "-i", "PATH=/usr/bin:/bin", "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
                "GIT_ALLOW_PROTOCOL=none", "GIT_NO_LAZY_FETCH=1", "GIT_NO_REPLACE_OBJECTS=1", "GIT_TERMINAL_PROMPT=0",
                "sh", "-euc", emptyRepository, "sh", objects, commit,
            ],
            input: [], limit: .seconds(2), loop: loop)
        guard let outcome, outcome.status == 0 else { return nil }
        let lines = outcome.output.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let author = lines.prefix { !$0.isEmpty }.first { $0.starts(with: "author ".utf8) }
        // author NAME <ADDRESS> SECONDS ZONE
        let words = author?.split(separator: UInt8(ascii: " ")).dropFirst().dropLast(2)
        return words.map { String(decoding: Array($0.joined(separator: [UInt8(ascii: " ")])), as: UTF8.self) }
    }

    /// Shows commit $2 of the objects in $1. Names of 64 digits are of a repository with SHA-256, which only a configuration can say.
    private static let emptyRepository = """
        umask 077
        GIT_DIR=$(mktemp -d)
        trap 'rm -rf "$GIT_DIR"' EXIT
        mkdir "$GIT_DIR/refs"
        echo 'ref: refs/heads/none' >"$GIT_DIR/HEAD"
        if [ ${#2} = 64 ]; then
            printf '[core]\\nrepositoryformatversion = 1\\n[extensions]\\nobjectformat = sha256\\n' >"$GIT_DIR/config"
        fi
        export GIT_DIR GIT_OBJECT_DIRECTORY="$1"
        git cat-file commit "$2"
        """

    private static func identifier(_ text: some Collection<UInt8>) -> String? {
        let isOne = [40, 64].contains(text.count) && Hex.bytes(digits: Array(text)[...]) != nil
        return isOne ? String(decoding: text, as: UTF8.self) : nil
    }

    private static func joined(_ folder: String, _ path: String) -> String {
        path.utf8.first == UInt8(ascii: "/") ? path : "\(folder)/\(path)"
    }

    /// A small file's text without its last line feed; nil where there is none that can be read.
    private static func text(_ path: String) -> String? {
        guard ConfigurationFile.exists(path), let bytes = try? ConfigurationFile.read(path) else { return nil }
        let ends = bytes.reversed().prefix { $0 == UInt8(ascii: "\n") }.count
        return String(decoding: bytes.dropLast(ends), as: UTF8.self)
    }
}
