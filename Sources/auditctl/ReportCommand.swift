internal import ArgumentParser
internal import AuditReading
internal import Digest
internal import Glibc
internal import Reporting
internal import Systemd

/// `report`: what happened in a time, on one page that an auditor can sign.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write a report of a time: what changed, by whom, what failed and when it was mended.",
        discussion: """
            The HTML page needs nothing from outside and runs nothing; print it or mail it. The whole history is verified for it, whatever time is \
            reported. Exit status: 0 written, 1 written and the history was changed, 2 written and nobody can tell.
            """)

    enum Form: String, CaseIterable { case html, markdown }

    @OptionGroup var history: HistoryOptions
    @OptionGroup var witnesses: WitnessOptions
    @Option(name: .long, help: ArgumentHelp("From this moment on.", valueName: "moment"))
    var since: String?
    @Option(name: .long, help: ArgumentHelp("Until this moment.", valueName: "moment"))
    var until: String?
    @Option(
        name: [.customShort("o"), .customLong("form")],
        help: ArgumentHelp("How to write: html or markdown.", valueName: "form"),
        completion: .list(Form.allCases.map(\.rawValue)))
    var form: String?
    @Option(
        name: .long, help: ArgumentHelp("Into this file, which appears once it is whole.", valueName: "file"),
        completion: .file())
    var output: String?

    func run() throws {
        let (form, path) = try Destination.chosen(form: form, output: output, standard: Form.html)
        let since = try FilterOptions.moment("--since", since)
        let until = try FilterOptions.moment("--until", until)
        if let since, let until, until < since {
            throw Complaint(.usage, "--until lies before --since")
        }
        let reader = try history.reader()
        let (report, origin) = try reader.report(since: since, until: until)
        let found = try witnesses.found(
            history, database: origin.identity ?? "", hosts: { (try? reader.hosts()) ?? [] })
        let examination = reader.verify(found.testimony).requiring(found)
        let moment = WallClock.localText(origin.moment.microseconds)
        let page = ReportPage(
            report, origin: origin, trust: examination.trust(found),
            author: Process.userName(of: Process.loginUser ?? Process.effectiveUser) ?? "?", host: Process.hostName,
            zone: String(moment.suffix(5)), local: { EventText.localTime($0) })
        let destination = try Destination(path)
        try destination.write(Array((form == .html ? page.html : page.markdown).utf8))
        try destination.finish()
        throw Ending(status: examination.status)
    }
}

extension Examination {
    /// The verdict in the words of a report.
    fileprivate func trust(_ found: WitnessesFound) -> ReportPage.Trust {
        let told = notes(found) + warnings + reach
        switch verdict {
        case .intact(let count, _):
            let limit = word == "intact" ? "" : " up to anchor \(testimony.lastAnchored ?? 0)"
            return .init(
                .good, "intact" + limit,
                "Every hash of the \(count) events was computed again from their contents, and every link between them holds.",
                findings: told)
        case .tampered(let findings):
            let more = findings.count > 20 ? ["… see auditctl verify"] : []
            return .init(
                .bad, findings.first?.kind.rawValue ?? "edited",
                "The history is not as it was written: what this page tells cannot be relied upon.",
                findings: findings.prefix(20).map(\.what) + more + told)
        case .cannotTell(let error):
            return .init(
                .unclear, "cannot tell",
                "Whether the history is as it was written could not be checked: \(error.complaint.message).",
                findings: told)
        }
    }
}
