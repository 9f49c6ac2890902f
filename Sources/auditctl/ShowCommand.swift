internal import ArgumentParser
internal import Audit
internal import AuditReading
internal import Reporting

/// `show`: everything about one event, one version or one attempt.
struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one event in full, or the whole story of a version or an attempt.",
        discussion: """
            A uuid is an attempt. A number is the seq of an event where there is one, else a version; --migration takes the word as \
            version or name in any case.
            """)

    @OptionGroup var history: HistoryOptions
    @OptionGroup var form: OutputOptions
    @Flag(name: .long, help: "Take the word as a version or name, though it is also the seq of an event.")
    var migration = false
    @Argument(
        help: ArgumentHelp("What to show.", valueName: "seq|version|attempt"), completion: .custom(Completions.versions)
    )
    var what: String

    func run() throws {
        let reader = try history.reader()
        let output = form.opened()
        if !migration, let seq = Int64(what), seq > 0, String(seq) == what, let row = try reader.event(seq) {
            try show(row, reader, output)
            if try !reader.states(of: what).isEmpty {
                Program.complain(
                    Complaint(
                        .done, "'\(what)' is also a version",
                        hint: "See 'auditctl show --migration \(what)' for its story."))
            }
            return
        }
        var filter = HistoryFilter()
        if !migration, what.utf8.count >= 32, let attempt = UUID(what) {
            filter.attempt = attempt
        } else {
            filter.migration = what
        }
        var pages = try reader.log(filter)
        guard let first = try pages.next() else { throw HistoryError.notFound(what) }
        guard form.output == .table else {
            let printer = EventPrinter(form.output, output)
            try printer.begin()
            try printer.print(first)
            while let page = try pages.next() { try printer.print(page) }
            try printer.end()
            return
        }
        if filter.migration != nil {
            for state in try reader.states(of: what) {
                for line in StateText(state).header { try output.line(line) }
            }
        }
        var story = StoryPrinter(output, reader)
        try story.print(first)
        while let page = try pages.next() { try story.print(page) }
        try output.flush()
    }

    private func show(_ row: HistoryRow, _ reader: HistoryReader, _ output: Output) throws {
        guard form.output == .table else {
            let printer = EventPrinter(form.output, output)
            try printer.begin()
            try printer.print([row])
            return try printer.end()
        }
        let text = EventText(row)
        for line in text.columns() { try output.line(line) }
        if let signer = text.signer { try output.line(signer) }
        let details = text.details
        if !details.isEmpty {
            try output.line("detail:")
            for line in details { try output.line("  " + line) }
        }
        for line in try ChangesText(reader.changes(by: row)).lines { try output.line(line) }
        try output.flush()
    }
}
