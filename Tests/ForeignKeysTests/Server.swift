import ForeignKeys
import Goldens
import LiveSupport
import SQLParsing
import Testing

/// Runs a planner's answer against a real server, through psql: what the daemon does, in one script.
struct Server {
    let database: Database
    static let attempt = "00000000-0000-4000-8000-00000000000a"

    init() throws {
        database = try Cluster.shared().createDatabase()
        for file in ["v001_history", "v002_orphans"] {
            try database.query(try #require(ProjectFiles.text("migrations/audit/\(file).sql")))
        }
    }

    func facts(_ keys: [ForeignKey], path: String = "public") throws -> [ForeignKeyFacts] {
        let question = CatalogQuestion(keys)
        let sql = CatalogQuestion.sql.split(separator: "$1", omittingEmptySubsequences: false)
            .joined(separator: Server.literal(question.parameter))
        let answer = try database.query("SET search_path = \(path);\n\(sql);")
        return try answer.split(separator: "\n").map { try ForeignKeyFacts(Array($0.utf8)) }
    }

    func plan(_ sql: String, _ policy: ForeignKeyPolicy) throws -> ForeignKeyStatementPlan {
        let keys = ForeignKeyStatement.all(in: try Script(Array(sql.utf8), file: "x.sql")).map(\.key)
        let wanted = Array(zip(keys, try facts(keys))).map { (key: $0.0, facts: $0.1) }
        return ForeignKeyPlanner(policy, quotedHistory: "\"migrated\"").plan(wanted)
    }

    /// Performs a plan in one transaction. Returns what each recorded step touched, and the events made up for them.
    @discardableResult
    func perform(_ plan: ForeignKeyStatementPlan, role: String? = nil) throws -> [String] {
        var script = (role.map { "SET ROLE \($0);\n" } ?? "") + "BEGIN;\n"
        var said: [String] = []
        var number = 0
        let middle: [ForeignKeyStep] = plan.keys.flatMap { (key: ForeignKeyPlan) -> [ForeignKeyStep] in
            if case .steps(let steps) = key { steps } else { [] }
        }
        let steps = plan.opening + middle + plan.closing
        for step in steps {
            number += 1
            let event = "00000000-0000-4000-8000-\(String(repeating: "0", count: 12 - String(number).count))\(number)"
            var sql = step.sql
            if !step.parameters.isEmpty {
                sql = sql.split(separator: "$1", omittingEmptySubsequences: false).joined(separator: "'\(event)'")
                sql = sql.split(separator: "$2", omittingEmptySubsequences: false).joined(
                    separator: "'\(Server.attempt)'")
            }
            script += "\\o /dev/null\n\(sql);\n\\o\n\\echo \(number) :ROW_COUNT\n"
        }
        let output = try database.query(script + "COMMIT;")
        var counts: [Int: String] = [:]
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, let number = Int(words[0]) { counts[number] = String(words[1]) }
        }
        for (index, step) in steps.enumerated() {
            guard let record = step.record else { continue }
            let isRows = step.purpose == .clean || step.purpose == .keepDependents
            if isRows, counts[index + 1] == "0" { continue }
            said.append("\(record.event) \(record.object)" + (isRows ? " \(counts[index + 1] ?? "?")" : ""))
        }
        return said
    }

    /// Restores everything of the attempt; the outcomes with their counts.
    func restore() throws -> String {
        let restore = RestoreSQL(quotedHistory: "\"migrated\"")
        func with(_ sql: String, _ value: String) -> String {
            sql.split(separator: "$1", omittingEmptySubsequences: false).joined(separator: "'\(value)'")
        }
        let pending = try database.query(with(restore.pending, Server.attempt))
        var outcomes: [String] = []
        for (number, line) in pending.split(separator: "\n").enumerated() {
            let event = String(line.prefix(36))
            let new = "10000000-0000-4000-8000-\(String(repeating: "0", count: 12 - String(number).count))\(number)"
            try database.query(
                "SET search_path = pg_catalog, pg_temp; \(restore.restore(event: event, restoration: new))")
            outcomes.append(try database.query(with(restore.outcomes, new)))
        }
        return outcomes.joined(separator: " / ")
    }

    static func literal(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
