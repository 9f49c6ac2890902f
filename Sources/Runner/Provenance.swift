internal import JSON
internal import Reporting
internal import Systemd

/// Where a run comes from, as far as can be seen: who sits at which terminal, and which release or commit the files are of.
///
/// Read once a run; what cannot be read is left out. Nothing here decides anything.
struct Provenance {
    /// Members for the detail of an attempt's beginning.
    var members: [String: JSONValue] = [:]

    /// Looks at this process and at `directory`.
    init(directory: String) {
        func set(_ name: String, _ text: String?) {
            if let text, !text.isEmpty { members[name] = .string(Printable.line(text, limit: 200)) }
        }
        set("sudo_user", Process.environment("SUDO_USER"))
        set("terminal", Process.terminalName)
        set("git_commit", Provenance.commit(of: directory))
        for name in ["RELEASE", "release.toml"] where members["release"] == nil {
            set(
                "release",
                Provenance.text("\(directory)/\(name)").map { $0.split(separator: "\n").joined(separator: "; ") })
        }
    }

    /// The commit that is checked out where `directory` lies in a work tree; see gitrepository-layout(5). git itself is not run: in a folder
    /// of somebody else it might run that folder's programs.
    private static func commit(of directory: String) -> String? {
        var parts = directory.split(separator: "/")
        while true {
            let folder = "/" + parts.joined(separator: "/")
            if let found = repository(folder) {
                return checkedOut(found, common: text("\(found)/commondir").map { joined(found, $0) } ?? found)
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
