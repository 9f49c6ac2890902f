internal import ArgumentParser
internal import Audit
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
            state directory, where they can be read.
            """)

    @OptionGroup var history: HistoryOptions
    @OptionGroup var form: OutputOptions
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Check this export, without any database.", valueName: "export"))
    var file: String?

    func run() throws {
        if let file { throw Ending(status: try ExportCheck(file, history).run(form)) }
        let verdict = try verdict()
        let status: ExitStatus =
            switch verdict {
            case .intact: .done
            case .tampered: .failed
            case .cannotTell: .cannotTell
            }
        let output = Output()
        do {
            try tell(verdict, output)
            try output.flush()
        } catch is Ending {
            // The reader has gone, the verdict stays.
        }
        if case .cannotTell(let error) = verdict {
            var complaint = error.complaint
            complaint.message = "cannot tell: " + complaint.message
            Program.complain(complaint)
        }
        throw Ending(status: status)
    }

    /// No connection is no verdict; a connection string that is none is a mistake in the words.
    private func verdict() throws -> Verdict {
        do {
            let reader = try history.reader()
            let log = try history.anchors(of: (try? reader.databaseIdentity()) ?? "")
            return reader.verify(anchors: log.anchors.map(\.head))
        } catch let error as PostgresError {
            if case .invalidTarget = error { throw error }
            return .cannotTell(.database(error))
        }
    }

    private func tell(_ verdict: Verdict, _ output: Output) throws {
        switch form.output {
        case .table:
            switch verdict {
            case .intact(let count, let head):
                try output.line(
                    output.coloured("intact", .green) + ": \(count) events, head \(Hex.text(head))")
            case .tampered(let findings):
                for finding in findings {
                    try output.line(
                        output.coloured(finding.kind.rawValue, .red) + ": " + Printable.line(finding.what))
                }
            case .cannotTell: break
            }
        case .json, .ndjson: try output.line(JSONText.safe(verdict.json.text))
        case .csv:
            try output.line("verdict,seq,what")
            for row in verdict.rows {
                try output.line(row.map { CSV.field($0.map(output.guarded)) }.joined(separator: ","))
            }
        }
    }
}

extension Verdict {
    /// The verdict as one stable word: that of its first finding, where there is one.
    var word: String {
        switch self {
        case .intact: "intact"
        case .tampered(let findings): findings.first?.kind.rawValue ?? "edited"
        case .cannotTell: "cannot_tell"
        }
    }

    /// One object: verdict, and what belongs to it.
    var json: JSONValue {
        switch self {
        case .intact(let count, let head):
            ["verdict": .string(word), "count": .integer(count), "head": .string(Hex.text(head)), "findings": []]
        case .tampered(let findings):
            [
                "verdict": .string(word), "seq": JSONValue(findings.first?.seq),
                "findings": .array(
                    findings.map {
                        ["kind": .string($0.kind.rawValue), "seq": JSONValue($0.seq), "what": .string($0.what)]
                    }),
            ]
        case .cannotTell(let error):
            ["verdict": .string(word), "reason": .string(error.complaint.message), "findings": []]
        }
    }

    /// Verdict, seq and words of each finding.
    var rows: [[String?]] {
        switch self {
        case .intact(_, let head): [[word, nil, "head \(Hex.text(head))"]]
        case .tampered(let findings): findings.map { [$0.kind.rawValue, $0.seq.map(String.init), $0.what] }
        case .cannotTell(let error): [[word, nil, error.complaint.message]]
        }
    }
}
