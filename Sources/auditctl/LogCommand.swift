internal import ArgumentParser
internal import AuditReading
internal import Glibc
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

    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp("At most so many, the newest; or 'all'.", valueName: "count"))
    var limit: String?
    @Flag(name: [.customShort("r"), .long], help: "Newest first.")
    var reverse = false
    @Flag(name: [.customShort("f"), .long], help: "Go on showing new events as they are written.")
    var follow = false

    func run() throws {
        let filter = try filter.filter()
        let limit = try chosenLimit()
        if follow, reverse { throw Complaint(.usage, "--follow and --reverse exclude each other") }
        if follow, form.output == .json {
            throw Complaint(.usage, "--follow has no end, so that an array never closes", hint: "Use -o ndjson.")
        }
        let reader = try history.reader()
        let output = follow ? Output() : form.opened()
        let printer = EventPrinter(form.output, output)
        try printer.begin()
        guard follow else {
            var pages = try reader.log(filter, limit: limit, newestFirst: reverse)
            while let page = try pages.next() { try printer.print(page) }
            try printer.end()
            return
        }
        // Listening begins before the first look, so that nothing can fall in between.
        let notified = try reader.listen()
        var seen = try reader.newestSeq()
        var pages = try reader.log(filter, limit: limit)
        while let page = try pages.next() {
            seen = max(seen, page.last?.seq ?? 0)
            try printer.print(page)
        }
        try output.flush()
        while true {
            if notified {
                try reader.waitForNotification()
            } else {
                _ = sleep(1)
            }
            let newest = try reader.newestSeq()
            var news = reader.log(filter, after: seen)
            while let page = try news.next() {
                seen = max(seen, page.last?.seq ?? 0)
                try printer.print(page)
            }
            seen = max(seen, newest)
            try output.flush()
        }
    }

    private func chosenLimit() throws -> Int? {
        guard let limit else { return follow ? 10 : filter.since == nil ? 50 : nil }
        if limit == "all" { return nil }
        guard let count = Int(limit), count >= 0 else {
            throw Complaint(.usage, "--limit '\(limit)' is no number", hint: "Give a number, or 'all'.")
        }
        return count == 0 ? nil : count
    }
}
