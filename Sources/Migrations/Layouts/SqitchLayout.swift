internal import Reporting

/// sqitch's project: `sqitch.plan`, and for each change in it `deploy/<change>.sql` and `revert/<change>.sql`, in the order of the plan.
///
/// A change that was reworked has an earlier file, `<change>@<tag>.sql`, for what it was up to that tag. A change may lie in folders of its
/// own: `tables/users`. `verify/<change>.sql` is what verifies it.
enum SqitchLayout: Layout {
    static let name = LayoutName.sqitch
    static let pattern = "the changes that '\(plan)' names, in 'deploy/'"
    static let rule = Identity.Rule.byName
    fileprivate static let plan = "sqitch.plan"

    static func claims(_ directory: Directory) -> Bool {
        directory.item(plan)?.kind == .file && directory.item("deploy")?.kind == .directory
    }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        guard directory.item(plan) != nil else {
            if directory.items.allSatisfy({ !FileName.isSQL($0.name) && $0.name != "deploy" }) { return Reading() }
            throw Complaint(
                .badFile, "'\(plan)' is not there", hint: "Put the plan beside 'deploy/', or set another layout.")
        }
        let changes = try SqitchPlan(try contents(plan), path: plan).changes
        var reading = Reading()
        let folders = ["deploy", "revert", "verify"].compactMap { directory.item($0) }
        let scripts = folders.flatMap { [$0] + $0.descendants }
        let items = Dictionary(scripts.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        let areVerified = folders.contains { folder in
            folder.name == "verify" && folder.descendants.contains { FileName.isSQL($0.name) }
        }
        var named: Set<String> = []
        for change in changes {
            let path = "deploy/\(change.fileName).sql"
            let revert = "revert/\(change.fileName).sql"
            let verify = "verify/\(change.fileName).sql"
            let item = items[path]
            var migration = Migration(
                version: change.fileName, name: change.fileName, path: item?.path ?? path, notation: .verbatim,
                identity: .named(change.fileName), obstacle: item?.obstacle)
            if item == nil {
                migration.obstacle =
                    closure(above: path, items) ?? change.obstacle("has no file '\(path)'", hint: "Put the file there.")
            }
            if change.name.split(separator: "/").count > DirectoryListing.mostFolders + 1 {
                migration.obstacle = change.obstacle(
                    "lies in more than \(DirectoryListing.mostFolders) folders, deeper than directories are read",
                    hint: "Move its scripts up and rename the change, or deploy it by sqitch and 'migrated adopt'.")
            }
            if let down = items[revert], down.kind == .file { migration.downPath = down.path }
            // Whatever it is: what cannot be read keeps the change from being applied.
            migration.verifyPath = items[verify]?.path
            if migration.verifyPath == nil, let closure = closure(above: verify, items) {
                migration.obstacle = migration.obstacle ?? closure
            } else if migration.verifyPath == nil, areVerified {
                reading.findings.append(
                    Finding(
                        .notVerified, path: verify, "'\(verify)' is not there: nothing verifies '\(change.fileName)'"))
            }
            named.formUnion([path, revert, verify])
            reading.migrations.append(migration)
        }
        reading.known.formUnion(folders.map(\.path))
        for entry in scripts where FileName.isSQL(entry.name) && !named.contains(entry.path) {
            reading.findings.append(
                Finding(.unknownFile, path: entry.path, "'\(entry.path)' is not run: '\(plan)' does not name it"))
        }
        return reading
    }

    /// Why a folder above `path` cannot be looked into; nil where they all can.
    private static func closure(above path: String, _ items: [String: Directory.Item]) -> Finding? {
        path.indices.lazy.filter { path[$0] == "/" }.compactMap { items[String(path[..<$0])]?.closure }.first
    }

    static func sorts(_ migration: Migration, beforeVersion version: String, name: String, order: OrderPin?) -> Bool {
        // The plan alone knows.
        false
    }
}

/// `sqitch.plan`: pragmas, then changes and tags, each on a line of its own.
struct SqitchPlan {
    struct Change {
        var name: String
        /// The name, with the tag up to which the change was what this file says where it was reworked later.
        var fileName: String
        /// Its line in the plan, from 1.
        var line: Int

        fileprivate func obstacle(_ what: String, hint: String) -> Finding {
            let place = Place(file: SqitchLayout.plan, line: line)
            return Finding(
                .invalidFile, path: SqitchLayout.plan,
                complaint: Complaint(.badFile, "the change '\(name)' \(what)", hint: hint, place: place))
        }
    }

    private(set) var changes: [Change] = []

    /// Throws `.badFile` with the line for one that cannot be read, and for a change that is named twice without a tag between.
    init(_ bytes: [UInt8], path: String) throws(Complaint) {
        var number = 0
        /// For each name the index of its newest change, and the first tag behind it.
        var newest: [String: (index: Int, tag: String?)] = [:]
        for line in TextLines(bytes) {
            number += 1
            let text = bytes.text(line).prefix { $0 != "#" }.trimmed
            if text.isEmpty || text.hasPrefix("%") { continue }
            func complaint(_ message: String, _ hint: String) -> Complaint {
                MigrationFile.complaint(message, at: line.lowerBound, in: bytes, path: path, hint: hint)
            }
            var words = text.split(whereSeparator: \.isWhitespace)
            if words[0] == "+" { words.removeFirst() }
            guard let first = words.first else {
                throw complaint("the line names no change", "A line names a change, or a tag behind '@'.")
            }
            if first.hasPrefix("@") {
                for name in newest.keys where newest[name]?.tag == nil { newest[name]?.tag = String(first) }
                continue
            }
            var name = String(first)
            if name.hasPrefix("+") || name.hasPrefix("-") {
                if name.hasPrefix("-") {
                    throw complaint(
                        "a change that is taken back by the plan cannot be run here",
                        "Write what undoes it as a change of its own.")
                }
                name.removeFirst()
            }
            if let earlier = newest[name] {
                guard let tag = earlier.tag else {
                    throw complaint(
                        "the change '\(name)' is named twice without a tag between",
                        "Tag the plan before you rework a change.")
                }
                changes[earlier.index].fileName = name + tag
            }
            newest[name] = (changes.count, nil)
            changes.append(Change(name: name, fileName: name, line: number))
        }
    }
}
