internal import ForeignKeys
internal import Reporting

/// What would happen to one foreign key of a pending file if it ran now: facts in, a verdict with its reason out.
struct KeyForecast {
    /// Whether the file would fail of it.
    enum Verdict: String, Sendable {
        case ok, note, fail
    }

    let verdict: Verdict
    let what: String

    /// - Parameters:
    ///   - statement: the key and its place.
    ///   - policy: what the file's head or the configuration asks for.
    ///   - plan: the plan for it, made with `missing-table = skip` so that what is missing has a name.
    ///   - orphans: how many there are; nil where nothing can count them.
    ///   - total: rows of its table; 0 where not counted.
    ///   - before: what earlier statements bring.
    init(
        _ statement: ForeignKeyStatement, _ facts: ForeignKeyFacts, _ policy: ForeignKeyPolicy, _ plan: ForeignKeyPlan,
        orphans: Int64?, total: Int64, before: Forthcoming
    ) {
        let key = statement.key
        if before.replaces(key.table) || statement.makesItsTable(facts) {
            if facts.referenced == nil, key.referenced != key.table, !before.mayBring(key.referenced) {
                (verdict, what) = KeyForecast.missing(.table(key.referenced), policy, before)
            } else {
                (verdict, what) = (.ok, "a table of this run: nothing is there to be an orphan before it ran")
            }
            return
        }
        if key.isIfTableExists, facts.table == nil {
            (verdict, what) =
                before.mayBring(key.table)
                ? (.note, "table '\(key.table.text)' is not there now; earlier statements may bring it")
                : (.ok, "passed over: table '\(key.table.text)' is not there")
            return
        }
        switch statement.origin {
        case .createTable(true) where facts.table != nil, .addColumn(true) where facts.hasAllColumns:
            (verdict, what) = (.ok, "passed over: it is there already")
            return
        case .createTable(false) where facts.table != nil:
            (verdict, what) = (.note, "table '\(key.table.text)' exists already")
            return
        case .addColumn where facts.table != nil && !facts.hasAllColumns:
            (verdict, what) = (.ok, "a column of this run: its rows are not there yet")
            return
        default: break
        }
        switch plan {
        case .deferred(let missing): (verdict, what) = KeyForecast.missing(missing, policy, before)
        case .exists(let constraint, let definition):
            if policy.skipsExisting || policy.orphans != .fail {
                (verdict, what) = (.ok, "skipped: '\(constraint)' exists with the same definition")
            } else if key.name != nil {
                (verdict, what) = (.fail, "'\(constraint)' exists already: \(definition)")
            } else {
                (verdict, what) = (.note, "a second key beside '\(constraint)', which says the same")
            }
        case .refused(let complaint, let lines):
            (verdict, what) = (.fail, ([complaint.message] + lines).joined(separator: "; "))
        case .steps:
            guard let orphans else {
                (verdict, what) = (
                    .fail, "no unique index of '\(key.referenced.text)' stands behind the referenced columns"
                )
                return
            }
            (verdict, what) = KeyForecast.orphans(orphans, of: total, key, policy, plan)
        }
    }

    private static func missing(
        _ missing: ForeignKeyPlan.Missing, _ policy: ForeignKeyPolicy, _ before: Forthcoming
    ) -> (Verdict, String) {
        let (words, comes) =
            switch missing {
            case .table(let table): ("table '\(table.text)'", before.mayBring(table))
            case .column(let table, let column): ("column '\(column)' of '\(table.text)'", before.mayChange(table))
            }
        if comes { return (.note, "\(words) is not there now; earlier statements may bring it") }
        return policy.missingTable == .skip
            ? (.note, "deferred until \(words) is there") : (.fail, "\(words) does not exist")
    }

    private static func orphans(
        _ orphans: Int64, of total: Int64, _ key: ForeignKey, _ policy: ForeignKeyPolicy, _ plan: ForeignKeyPlan
    ) -> (Verdict, String) {
        if orphans == 0 { return (.ok, "no orphan") }
        let words = orphans == 1 ? "1 orphan" : "\(orphans) orphans"
        switch policy.orphans {
        case .fail where key.isNotValid: return (.note, "\(words): they stay, as the key is NOT VALID")
        case .fail: return (.fail, "\(words): PostgreSQL will refuse the key")
        case .report: return (.note, "\(words): they stay, and the key is added NOT VALID")
        case .clean:
            guard policy.limit.allows(orphans, of: total) else {
                return (.fail, "\(words), more than 'orphan-limit' (\(policy.limit.text)) allows")
            }
            guard case .steps(_, let cleaning?) = plan else { return (.note, words) }
            let further =
                cleaning.isObserved ? "; rows that hang on them may go or change along, and are kept as well" : ""
            return (.note, "\(words): to be kept, then \(cleaning.deletes ? "deleted" : "set to null")\(further)")
        }
    }
}

extension ForeignKeyFacts {
    fileprivate var hasAllColumns: Bool { table != nil && columns.allSatisfy { $0 != nil } }
}

extension ForeignKeyStatement {
    /// Whether its own statement creates its table.
    fileprivate func makesItsTable(_ facts: ForeignKeyFacts) -> Bool {
        if case .createTable = origin { return facts.table == nil }
        return false
    }
}
