internal import Audit
internal import Configuration
internal import ForeignKeys
internal import Migrations
internal import Postgres
internal import Replay
internal import Reporting
internal import SQLParsing
internal import Systemd

extension Engine {
    /// How much of what migrations create stands in the database now: each statement is compared as `existing=skip-identical` would, in
    /// transactions that are rolled back. Nothing is changed.
    func evidence(_ migrations: [Migration], _ snapshot: MigrationDirectory.Snapshot) throws(RunFailure)
        -> [FileEvidence]
    {
        var files: [(name: String, script: Result<Script, Complaint>)] = []
        for migration in migrations {
            do throws(Complaint) {
                files.append((migration.name, .success(try script(of: migration, in: snapshot))))
            } catch {
                files.append((migration.name, .failure(error)))
            }
        }
        return try files.map { (file) throws(RunFailure) in
            var found = FileEvidence(name: file.name)
            switch file.script {
            case .success(let script): found.findings = try look(script)
            case .failure(let complaint):
                let finding = FileEvidence.Finding(
                    object: "the file", line: complaint.place?.line ?? 1, state: .unread(complaint.message))
                found.findings = [finding]
            }
            return found
        }
    }

    /// How each object of one script is found, in the order of the text.
    private func look(_ script: Script) throws(RunFailure) -> [FileEvidence.Finding] {
        var findings: [FileEvidence.Finding] = []
        let keys = ForeignKeyStatement.all(in: script)
        let text = StatementCut(script, without: keys).text
        var trial = EvidenceTrial(sessions: sessions, settings: settings, script: script, token: UUID().description)
        for statement in script.statements.indices {
            let line = script.statements[statement].line
            for key in keys where key.statement == statement {
                let state = try trial.state(of: key)
                findings.append(FileEvidence.Finding(object: key.words, line: line, state: state))
            }
            let items = ReplayItem.all(of: statement, in: script, text: text, includesConditional: true)
            for item in items {
                let found = try trial.state(of: item)
                findings.append(
                    FileEvidence.Finding(
                        object: "\(item.word) '\(found.object ?? item.name)'", line: line, state: found.state))
            }
        }
        try trial.end()
        return findings
    }
}

extension ForeignKeyStatement {
    fileprivate var words: String {
        "foreign key '\(key.table.text).\(key.name ?? key.columns.joined(separator: ","))'"
    }
}
