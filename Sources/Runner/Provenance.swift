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
        if let (commit, repository) = Provenance.commit(of: directory) {
            set("git_commit", commit)
            set("git_author", Provenance.author(of: commit, in: repository, loop))
        }
        for name in ["RELEASE", "release.toml"] where members["release"] == nil {
            set(
                "release",
                Provenance.text("\(directory)/\(name)").map { $0.split(separator: "\n").joined(separator: "; ") })
        }
    }

    /// The commit that is checked out where `directory` lies in a work tree, and its repository; see gitrepository-layout(5).
    private static func commit(of directory: String) -> (commit: String, repository: String)? {
        var parts = directory.split(separator: "/")
        while true {
            let folder = "/" + parts.joined(separator: "/")
            if let found = repository(folder) {
                let common = text("\(found)/commondir").map { joined(found, $0) } ?? found
                return checkedOut(found, common: common).map { ($0, found) }
            }
            if parts.popLast() == nil { return nil }
        }
    }

    /// The repository of the work tree `folder`: `.git`, or what that names where it is a file, as in a submodule.
    private static func repository(_ folder: String) -> String? {
        let git = "\(folder)/.git"
        if ConfigurationFile.exists("\(git)/HEAD") { return git }
        guard let link = text(git), link.hasPrefix("gitdir: ") else { return nil }
        return joined(folder, String(link.dropFirst(8)))
    }

    private static func checkedOut(_ repository: String, common: String) -> String? {
        guard let head = text("\(repository)/HEAD") else { return nil }
        guard head.hasPrefix("ref: ") else { return identifier(head) }
        let name = String(head.dropFirst(5))
        for place in [repository, common] {
            if let found = text("\(place)/\(name)") { return identifier(found) }
        }
        let packed = text("\(common)/packed-refs")?.split(separator: "\n").first { $0.hasSuffix(" \(name)") }
        return packed.flatMap { identifier(String($0.prefix { $0 != " " })) }
    }

    /// The author as the commit names it; nil where there is no git, or no such commit.
    ///
    /// The repository may be somebody else's, whose configuration names programs. Showing one object runs none of them (git-cat-file(1)), and
    /// an object that is missing is fetched by no protocol.
    private static func author(of commit: String, in repository: String, _ loop: PollLoop) -> String? {
        let outcome = try? ChildProcess.run(
            "/usr/bin/env",
            [
                "-i", "PATH=/usr/bin:/bin", "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
                "GIT_ALLOW_PROTOCOL=none", "GIT_NO_LAZY_FETCH=1", "GIT_NO_REPLACE_OBJECTS=1", "GIT_TERMINAL_PROMPT=0",
                "git", "--git-dir", repository, "cat-file", "commit", commit,
            ],
            input: [], limit: .seconds(2), loop: loop)
        guard let outcome, outcome.status == 0 else { return nil }
        let head = String(decoding: outcome.output, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        ).prefix { !$0.isEmpty }
        // author NAME <ADDRESS> SECONDS ZONE
        return head.first { $0.hasPrefix("author ") }.map { line in
            line.dropFirst(7).split(separator: " ").dropLast(2).joined(separator: " ")
        }
    }

    private static func identifier(_ text: String) -> String? {
        [40, 64].contains(text.utf8.count) && text.allSatisfy(\.isHexDigit) ? text : nil
    }

    private static func joined(_ folder: String, _ path: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }

    /// A small file's text without its last line feed; nil where there is none that can be read.
    private static func text(_ path: String) -> String? {
        guard ConfigurationFile.exists(path), let bytes = try? ConfigurationFile.read(path) else { return nil }
        var text = String(decoding: bytes, as: UTF8.self)
        while text.hasSuffix("\n") { text.removeLast() }
        return text
    }
}
