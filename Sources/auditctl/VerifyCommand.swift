internal import ArgumentParser
internal import AuditReading
internal import Digest
internal import JSON
internal import Postgres
internal import Reporting

/// `verify`: whether the history is as it was written.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check that nobody has changed the history.",
        discussion: """
            Every hash is computed again here, from the raw columns. Exit status: 0 intact, 1 changed, 2 cannot tell. What the \
            chain alone cannot show, a tail that was cut or rewritten to its end, is held against the anchors that the daemon keeps in its \
            state directory and in the journal, where they can be read. docs/evidence.md says what each verdict means and what to do then.
            """)

    @OptionGroup var history: HistoryOptions
    @OptionGroup var witnesses: WitnessOptions
    @OptionGroup var form: OutputOptions
    @OptionGroup var monitoring: MetricsOption
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Check this export, without any database.", valueName: "export"))
    var file: String?

    func run() throws {
        if let file { throw Ending(status: try check(file)) }
        let (examination, found) = try examine()
        let status = examination.status
        monitoring.leave("verify", try history.settings()) { text in
            text.metric("migrated_verify_verdict", "gauge", "What the last verification of the history came to.")
            for (word, meant) in [("intact", ExitStatus.done), ("changed", .failed), ("unknown", .cannotTell)] {
                text.sample("migrated_verify_verdict", ("verdict", word), status == meant ? "1" : "0")
            }
        }
        let output = Output()
        do {
            try tell(examination, found, output)
            try output.flush()
        } catch is Ending {
            // The reader has gone, the verdict stays.
        }
        if case .cannotTell(let error) = examination.verdict {
            var complaint = error.complaint
            complaint.message = "cannot tell: " + complaint.message
            Program.complain(complaint)
        }
        throw Ending(status: status)
    }

    /// An export has no other witness than a signature.
    private func check(_ file: String) throws -> ExitStatus {
        guard try !witnesses.asksJournal, try witnesses.requiredList()?.contains(.state) != true else {
            throw Complaint(
                .usage, "with --file neither the journal nor the state directory is looked at",
                hint: "Check the history itself against them, without --file.")
        }
        let key = try witnesses.key(history)
        return try ExportCheck(file, signedBy: key).run(form)
    }

    /// No connection is no verdict; a connection string that is none is a mistake in the words.
    private func examine() throws -> (Examination, WitnessesFound?) {
        do {
            let reader = try history.reader()
            let found = try witnesses.found(
                history, database: (try? reader.databaseIdentity()) ?? "", hosts: { (try? reader.hosts()) ?? [] })
            return (reader.verify(found.testimony).requiring(found), found)
        } catch let error as PostgresError {
            if case .invalidTarget = error { throw error }
            return (Examination(.cannotTell(.database(error))), nil)
        }
    }

    private func tell(_ examination: Examination, _ found: WitnessesFound?, _ output: Output) throws {
        switch form.output {
        case .table:
            switch examination.verdict {
            case .intact(let count, let head):
                let limit =
                    examination.word == "intact" ? "" : " up to anchor \(examination.testimony.lastAnchored ?? 0)"
                try output.line(
                    output.coloured("intact", .green) + "\(limit): \(count) events, head \(Hex.text(head))")
            case .tampered(let findings):
                for finding in findings {
                    try output.line(
                        output.coloured(finding.kind.rawValue, .red) + ": " + Printable.line(finding.what))
                }
            case .cannotTell: break
            }
            for line in examination.notes(found) { try output.line(Printable.line(line)) }
            for line in examination.warnings {
                try output.line(output.coloured("warning", .yellow) + ": " + Printable.line(line))
            }
            for line in examination.reach { try output.line("note: " + Printable.line(line)) }
        case .json, .ndjson: try output.line(JSONText.safe(examination.json(found).text))
        case .csv, .exactCSV:
            try output.line("verdict,seq,what")
            for row in examination.rows { try output.record(row, form.output) }
        }
    }
}
