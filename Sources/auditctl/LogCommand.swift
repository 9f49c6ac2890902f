internal import ArgumentParser
internal import AuditReading
internal import Reporting

/// `log`: events that match, oldest first.
struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Show events, oldest first (the default).",
        discussion: """
            Without --limit the newest 50 that match are shown, with --since all of them. A moment is written as systemd.time(7) \
            has it: "2 days ago", yesterday, "2026-01-31 22:05", @1700000000, RFC 3339; local time unless it says UTC.
            """)

    @OptionGroup var history: HistoryOptions
    @OptionGroup(title: "Filters") var filter: FilterOptions
    @OptionGroup var form: OutputOptions

    @OptionGroup var extent: ExtentOptions

    func run() throws {
        let filter = try filter.filter()
        let limit = try extent.chosen(standard: extent.follow ? 10 : filter.since == nil ? 50 : nil)
        if extent.follow, extent.reverse { throw Complaint(.usage, "--follow and --reverse exclude each other") }
        if extent.follow, form.output == .json {
            throw Complaint(.usage, "--follow has no end, so that an array never closes", hint: "Use -o ndjson.")
        }
        let reader = try history.reader()
        let output = extent.follow ? Output() : form.opened()
        let printer = EventPrinter(form.output, output)
        try printer.begin()
        guard extent.follow else {
            if output.isTerminal || limit.map({ $0 <= HistoryPages.size }) ?? false {
                // A person may read for hours: no transaction stays open for that long.
                var pages = try reader.log(filter, limit: limit, newestFirst: extent.reverse)
                while let page = try pages.next() { try printer.print(page) }
            } else {
                let scan = try reader.scan(filter, newestFirst: extent.reverse, limit: limit)
                while let rows = try scan.next() { try printer.print(rows) }
            }
            return try printer.end()
        }
        try EventFollower(reader, filter).run(first: limit) { page in
            try printer.print(page)
            try output.flush()
        }
    }
}
