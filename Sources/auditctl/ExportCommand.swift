internal import ArgumentParser
internal import Audit
internal import AuditReading
internal import Glibc
internal import JSON
internal import Reporting
internal import Systemd

/// `export`: the history, or a part of it, for somebody who has no access to the database.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write events with all their columns, so that they can be verified elsewhere.",
        discussion: """
            The last line is a trailer: how many events, the head of the chain, and which database. 'auditctl verify --file' checks an export \
            without any database; docs/export-format.md says how to write a second verifier. Memory stays the same for any number of events.
            """)

    @OptionGroup var history: HistoryOptions
    @OptionGroup(title: "Filters") var filter: FilterOptions
    @Option(
        name: [.customShort("o"), .customLong("form")],
        help: ArgumentHelp("How to write: ndjson or csv.", valueName: "form"), completion: .list(ExportForm.names))
    var form: String?
    @Option(
        name: .long, help: ArgumentHelp("Into this file, which appears once it is whole.", valueName: "file"),
        completion: .file())
    var output: String?
    @OptionGroup var extent: ExtentOptions

    func run() throws {
        let filter = try filter.filter()
        let limit = try extent.chosen(standard: nil)
        let (form, file) = try Destination.chosen(form: form, output: output, standard: ExportForm.ndjson)
        guard extent.follow else { return try export(filter, limit, form, file) }
        if extent.reverse { throw Complaint(.usage, "--follow and --reverse exclude each other") }
        guard file == nil else {
            throw Complaint(
                .usage, "--follow has no end, so that the file would never be whole", hint: "Leave --output out.")
        }
        try follow(filter, limit, form)
    }

    private func export(_ filter: HistoryFilter, _ limit: Int?, _ form: ExportForm, _ file: String?) throws {
        let scan = try history.reader().scan(filter, newestFirst: extent.reverse, limit: limit)
        let sink = try Destination(file)
        var writer = ExportWriter(form)
        var buffer = writer.header
        while let rows = try scan.next() {
            for row in rows { writer.append(row, to: &buffer) }
            try sink.write(buffer)
            buffer.removeAll(keepingCapacity: true)
        }
        var left = filter.json
        if let limit, writer.count == Int64(limit), writer.count < scan.origin.head.seq {
            left = .object((left.flatMap(\.members) ?? [:]).merging(["limit": .integer(Int64(limit))]) { $1 })
        }
        let trailer = ExportTrailer(
            origin: scan.origin, count: writer.count, first: writer.ends?.first, last: writer.ends?.last, filter: left,
            isNewestFirst: extent.reverse,
            exportedBy: Process.userName(of: Process.loginUser ?? Process.effectiveUser), host: Process.hostName,
            signature: signature(over: scan.origin))
        try sink.write(buffer + writer.trailer(trailer))
        try sink.finish()
    }

    /// What the daemon signed of the head, where its anchors can be read here.
    private func signature(over origin: HistoryOrigin) -> JSONValue? {
        // Whoever may read the history alone has no anchors, and the export no signature.
        guard let identity = origin.identity, let kept = try? history.anchors(of: identity) else { return nil }
        return kept.log.anchors.last { $0.head == origin.head }?.signature.map { .string($0.description) }
    }

    /// Goes on for ever, so that no trailer comes.
    private func follow(_ filter: HistoryFilter, _ limit: Int?, _ form: ExportForm) throws {
        let sink = try Destination(nil)
        var writer = ExportWriter(form)
        try sink.write(writer.header)
        try EventFollower(try history.reader(), filter).run(first: limit ?? 10) { rows in
            var buffer: [UInt8] = []
            for row in rows { writer.append(row, to: &buffer) }
            try sink.write(buffer)
        }
    }
}

extension ExportForm {
    fileprivate static var names: [String] { allCases.map(\.rawValue) }
}
