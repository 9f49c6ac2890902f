internal import Configuration
internal import ForeignKeys
internal import Postgres
internal import Replay
internal import Reporting
internal import SQLParsing
internal import Systemd

/// Compares what a script's statements create with what stands, one after the other, in a transaction that is always rolled back.
struct EvidenceTrial {
    let sessions: Sessions
    let settings: Settings
    let script: Script
    /// Random; part of the scratch schemas' names.
    let token: String
    private var isOpen = false
    private var number = 0

    init(sessions: Sessions, settings: Settings, script: Script, token: String) {
        self.sessions = sessions
        self.settings = settings
        self.script = script
        self.token = String(token.filter { $0 != "-" }.prefix(12))
    }

    /// How the item's object is found, and under which name.
    mutating func state(of item: ReplayItem) throws(RunFailure) -> (state: FileEvidence.State, object: String?) {
        switch try ask(item.question, at: item.statement) {
        case .failure(let complaint): return (.unread(complaint.message), nil)
        case .success(let rows):
            guard let standing = rows.first.flatMap({ Standing($0) }) else { return (.absent, nil) }
            number += 1
            var scratch = Scratch(token: "\(token)\(number)")
            let trial = item.trial(standing, in: &scratch)
            switch try ask(trial, at: item.statement) {
            case .failure(let complaint): return (.unread(complaint.message), standing.object)
            case .success(let rows):
                switch item.outcome(rows, standing, in: scratch).comparison {
                case .absent: return (.absent, item.isNameless ? nil : standing.object)
                case .same(_, let found): return (.present, found ?? standing.object)
                case .different(let differences): return (.different(differences), standing.object)
                case .invalid: return (.unread("the index is not valid"), standing.object)
                }
            }
        }
    }

    /// Whether a foreign key stands.
    mutating func state(of key: ForeignKeyStatement) throws(RunFailure) -> FileEvidence.State {
        var policy = ForeignKeyPolicy()
        policy.skipsExisting = true
        policy.missingTable = .skip
        // Beside other statements, and so as a literal.
        let parameter = Quoting.literal(CatalogQuestion([key.key]).parameter)
        let sql = CatalogQuestion.sql.replacing("$1", with: parameter)
        switch try ask("\(sql); SELECT 1; SELECT 1", at: key.statement) {
        case .failure(let complaint): return .unread(complaint.message)
        case .success(let rows):
            let facts: ForeignKeyFacts
            do throws(Complaint) {
                facts = try ForeignKeyFacts(Array((rows.first?.first.flatMap(\.self) ?? "").utf8))
            } catch {
                throw .complaint(error)
            }
            var names = ChosenNames()
            switch ForeignKeyPlanner(policy, quotedHistory: "").plan(key.key, facts, &names) {
            case .exists: return .present
            case .refused(let complaint, _): return .unread(complaint.message)
            default: return .absent
            }
        }
    }

    /// Ends the transaction, and with it everything that was built in it.
    mutating func end() throws(RunFailure) {
        if isOpen { try sessions.run(try sessions.work(), "ROLLBACK") }
        isOpen = false
    }

    /// Sends one message of an item; what the server refuses is told, and the next question begins anew.
    private mutating func ask(_ sql: String, at statement: Int) throws(RunFailure) -> Result<[[String?]], Complaint> {
        let connection = try sessions.work()
        if !isOpen {
            // As the file's own statements would find the session, and with our limits.
            let before = script.sessionSettings(before: statement).joined(separator: "; ")
            try sessions.run(
                connection,
                """
                BEGIN; SET LOCAL search_path TO DEFAULT; SET LOCAL jit = off; SET LOCAL lock_timeout = '2s'; \
                SET LOCAL statement_timeout = \(settings.statementTimeout.milliseconds); \(before)
                """)
            isOpen = true
        }
        sessions.waiter.begin(.statements(until: nil), cancellation: connection.cancellation())
        do throws(PostgresError) {
            let results = try connection.run(sql)
            guard results.count >= ReplayItem.answerFromEnd else {
                throw PostgresError.lost(.protocolViolation("a question has no answer"))
            }
            let answer = results[results.count - ReplayItem.answerFromEnd]
            return .success(answer.rows.indices.map { answer.texts($0) })
        } catch {
            guard case .server = error, connection.isAlive, sessions.waiter.cause == nil else {
                throw sessions.failure(error)
            }
            try end()
            return .failure(error.complaint)
        }
    }
}
