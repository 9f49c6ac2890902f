internal import Reporting
internal import SQLParsing

/// What a command does to the name of a column.
enum ColumnChange: Sendable {
    case added(String)
    case renamed(from: String, to: String)
    case dropped(String)

    /// A command of an ALTER TABLE; nil where it leaves the columns' names alone, or may do so.
    init?(_ command: TreeNode) {
        switch command.text("subtype") {
        case "AT_AddColumn":
            guard !command.flag("missing_ok"), let name = command.node("def")?.fields.text("colname") else {
                return nil
            }
            self = .added(name)
        case "AT_DropColumn":
            guard let name = command.text("name") else { return nil }
            self = .dropped(name)
        default: return nil
        }
    }
}

/// Columns of a table by the names of today, and by those that they had before some commands.
struct ColumnNames {
    /// Those that had another name, by today's.
    private var former: [ExactText: (now: String, before: String)] = [:]
    /// Those that were not there yet, by today's names.
    private var new: [ExactText: String] = [:]
    /// Those that are gone, by the names of before.
    private(set) var dropped: Set<ExactText> = []

    /// What became of the names by commands in the order of the file.
    init(_ changes: [ColumnChange]) {
        for change in changes {
            switch change {
            case .added(let name): new[name.exact] = name
            case .renamed(let from, let to):
                if new.removeValue(forKey: from.exact) != nil {
                    new[to.exact] = to
                } else {
                    let before = former.removeValue(forKey: from.exact)?.before ?? from
                    former[to.exact] = (to, before)
                }
            case .dropped(let name):
                if new.removeValue(forKey: name.exact) != nil { continue }
                dropped.insert((former.removeValue(forKey: name.exact)?.before ?? name).exact)
            }
        }
    }

    /// Statements that give the table's columns the names of before, and those of today again. New ones make way.
    func renaming(_ table: String) -> (back: [String], forth: [String]) {
        let ways =
            former.values.enumerated().map { number, names in [names.now, "migrated_former_\(number)", names.before] }
            + new.values.enumerated().map { number, name in [name, "migrated_new_\(number)"] }
        func rename(_ ways: [[String]]) -> [String] {
            // All first steps before any second one: names may be exchanged.
            (0..<2).flatMap { step in
                ways.filter { $0.count > step + 1 }.map {
                    "ALTER TABLE \(table) RENAME COLUMN \(Quoting.identifier($0[step])) TO \(Quoting.identifier($0[step + 1]))"
                }
            }
        }
        return (rename(ways), rename(ways.map { $0.reversed() }))
    }
}
