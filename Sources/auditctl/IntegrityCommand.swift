internal import ArgumentParser
internal import AuditReading
internal import Configuration
internal import JSON
internal import Migrations
internal import Reporting

/// `integrity`: whether the database is as migrations should have left it.
struct IntegrityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "integrity", abstract: "Check foreign keys, their rows and indexes, and the applied files.",
        discussion: """
            Looks at every foreign key that the history names and at every one that is NOT VALID: orphans, validation, an index on \
            the referencing columns; at invalid indexes; at objects that were changed by others than migrations; and, where the directory is known, at applied files that changed or are \
            missing. One line each, PASS, FAIL or NOTE. Exit status: 0 nothing failed, 1 something did. What cannot be counted fails.
            """)

    @OptionGroup var history: HistoryOptions
    @OptionGroup var form: OutputOptions
    @OptionGroup var monitoring: MetricsOption
    @Flag(name: .long, help: "Look at every foreign key of the database.")
    var all = false
    @Option(name: .long, help: "Directory of the migrations (default: the configured one).")
    var directory: String?

    func run() throws {
        let settings = try history.settings(directory: directory)
        let reader = try history.reader(settings)
        var lines = try reader.integrity(everyKey: all)
        if settings.catalogDrift == .report { lines += try reader.catalogLines() }
        let files = AppliedFiles(
            settings: settings, name: { reader.name(fromWritten: $0) },
            // A login that may not read the source learns that the file changed, without in what.
            source: { checksum in ChecksumText(checksum).flatMap { try? reader.source($0).bytes } })
        let report = IntegrityReport(lines + files.lines(try reader.status().versions))
        monitoring.leave("integrity", settings) { text in
            text.metric("migrated_integrity_failures", "gauge", "Checks of the schema that failed at the last look.")
            text.sample("migrated_integrity_failures", nil, String(report.failures))
        }
        let output = form.opened()
        do {
            try tell(report, output)
            try output.flush()
        } catch is Ending {
            // The reader has gone, the verdict stays.
        }
        throw Ending(status: report.verdict == .fail ? .failed : .done)
    }

    private func tell(_ report: IntegrityReport, _ output: Output) throws {
        switch form.output {
        case .table:
            let width = report.lines.map { $0.check.rawValue.count }.max() ?? 0
            for line in report.lines {
                let object = line.object.map { Printable.line($0) + ": " } ?? ""
                try output.line(
                    output.coloured(line.verdict.rawValue, line.verdict.colour) + "  "
                        + TextWidth.padded(line.check.rawValue, width) + "  " + object + Printable.line(line.what))
            }
            let checks = report.lines.count { $0.verdict != .note }
            let words = report.failures == 0 ? "\(checks) checks" : "\(report.failures) of \(checks) checks"
            try output.line(output.coloured(report.verdict.rawValue, report.verdict.colour) + ": " + words)
        case .json: try output.line(JSONText.safe(report.json.text))
        case .ndjson: for line in report.lines { try output.line(JSONText.safe(line.json.text)) }
        case .csv, .exactCSV:
            try output.line(IntegrityLine.columns.joined(separator: ","))
            for line in report.lines { try output.record(line.fields, form.output) }
        }
    }
}

extension IntegrityLine.Verdict {
    fileprivate var colour: Colour {
        switch self {
        case .pass: .green
        case .fail: .red
        case .note: .yellow
        }
    }
}
