internal import Reporting

/// sqitch's project: `sqitch.plan`, and for each change in it `deploy/<change>.sql` and `revert/<change>.sql`, in the order of the plan.
///
/// A change that was reworked has an earlier file, `<change>@<tag>.sql`, for what it was up to that tag. Scripts that verify are not run:
/// what they would find is said by nobody, and a finding says so. A change in a folder of its own lies deeper than directories are read.
enum SqitchLayout: Layout {
    static let name = LayoutName.sqitch
    static let pattern = "the changes that '\(plan)' names, in 'deploy/'"
    static let rule = Identity.Rule.byName
    private static let plan = "sqitch.plan"

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
        let deploy = directory.item("deploy")
        let revert = directory.item("revert")
        for change in changes {
            let file = change.fileName + ".sql"
            let item = deploy?.child(file)
            var migration = Migration(
                version: change.fileName, name: change.fileName, path: item?.path ?? "deploy/" + file,
                notation: .verbatim, identity: .named(change.fileName), obstacle: item?.obstacle)
            if change.name.contains("/") {
                migration.obstacle = change.finding(
                    "the change '\(change.name)' lies in a folder of its own, deeper than directories are read",
                    hint: "Move its scripts up and rename the change, or deploy it by sqitch and 'migrated adopt'.",
                    in: plan)
            } else if item == nil {
                migration.obstacle =
                    deploy?.closure
                    ?? change.finding(
                        "the change '\(change.name)' has no file 'deploy/\(file)'", hint: "Put the file there.",
                        in: plan)
            }
            if let down = revert?.child(file), down.kind == .file { migration.downPath = down.path }
            reading.migrations.append(migration)
        }
        let named = Set(changes.map { $0.fileName + ".sql" })
        for folder in [deploy, revert].compactMap(\.self) {
            reading.known.insert(folder.path)
            for entry in folder.children where FileName.isSQL(entry.name) && !named.contains(entry.name) {
                reading.findings.append(
                    Finding(.unknownFile, path: entry.path, "'\(entry.path)' is not run: '\(plan)' does not name it"))
            }
        }
        if let verify = directory.item("verify") {
            reading.known.insert(verify.path)
            if verify.children.contains(where: { FileName.isSQL($0.name) }) {
                reading.findings.append(
                    Finding(
                        .unknownSetting, path: verify.path,
                        "the scripts in '\(verify.path)/' are not run after a change, as sqitch can do",
                        hint: "Run 'sqitch verify' after 'migrated apply' where they are relied on."))
            }
        }
        return reading
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

        fileprivate func finding(_ message: String, hint: String, in plan: String) -> Finding {
            Finding(
                .invalidFile, path: plan,
                complaint: Complaint(.badFile, message, hint: hint, place: Place(file: plan, line: line)))
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
