internal import ArgumentParser
internal import AuditReading
internal import JSON
internal import Reporting
internal import Systemd

/// `stats`: how much happened on which day, and how long it took.
struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Count events by day and kind, with their durations.",
        discussion: """
            p50, p95 and max are of the events that have a duration. Days are those of local time; the rows without a day are of all days \
            together. Durations in json, ndjson and csv are microseconds.
            """)

    @OptionGroup var history: HistoryOptions
    @OptionGroup(title: "Filters") var filter: FilterOptions
    @OptionGroup var form: OutputOptions

    /// So many days have rows of their own.
    private static let mostDays = 4000

    func run() throws {
        let filter = try filter.filter()
        let reader = try history.reader()
        let statistics = try reader.extent(filter).map { extent in
            try reader.statistics(filter, days: try StatsCommand.days(extent.first, extent.last))
        }
        try print(statistics ?? [])
    }

    /// The beginnings of the days of local time from the one that holds `first` to the one that holds `last`.
    private static func days(_ first: Timestamp, _ last: Timestamp) throws -> [Timestamp] {
        var days: [Timestamp] = []
        var day = midnight(first.unixSeconds)
        while day <= last.unixSeconds {
            days.append(Timestamp(microseconds: (day - Timestamp.unixOffset) * 1_000_000))
            guard days.count <= mostDays else {
                throw Complaint(
                    .usage, "the events lie on more than \(mostDays) days",
                    hint: "Choose some with --since and --until.")
            }
            // A day may have 23 or 25 hours: noon of the next one is in any case behind this midnight by 36.
            day = midnight(day + 36 * 3600)
        }
        return days
    }

    private static func midnight(_ second: Int64) -> Int64 {
        let local = second + LocalTime.offset(at: second)
        let start = local - (local % 86_400 + 86_400) % 86_400
        return start - LocalTime.offset(at: start - LocalTime.offset(at: second))
    }

    private static func name(_ day: Timestamp) -> String { String(EventText.localTime(day).prefix(10)) }

    private func print(_ statistics: [EventStatistics]) throws {
        let output = form.opened()
        switch form.output {
        case .table: try table(statistics, output)
        case .json: try output.line(JSONText.safe(JSONValue.array(statistics.map { $0.json(StatsCommand.name) }).text))
        case .ndjson: for one in statistics { try output.line(JSONText.safe(one.json(StatsCommand.name).text)) }
        case .csv, .exactCSV:
            try output.line(EventStatistics.columns.joined(separator: ","))
            for one in statistics { try output.record(one.fields(StatsCommand.name), form.output) }
        }
        try output.flush()
    }

    private func table(_ statistics: [EventStatistics], _ output: Output) throws {
        guard !statistics.isEmpty else { return try output.line("no event matches") }
        let brief = { (duration: Int64?) in duration.map { TimeSpan(microseconds: $0).brief } ?? "" }
        var previous: String?
        let lines = statistics.map { one -> [String] in
            let day = one.day.map(StatsCommand.name) ?? "all days"
            defer { previous = day }
            return [
                day == previous ? "" : day, Printable.line(one.event), String(one.count), brief(one.median),
                brief(one.p95), brief(one.longest),
            ]
        }
        try output.columns(["DAY", "EVENT", "COUNT", "P50", "P95", "MAX"], lines, right: [2, 3, 4, 5])
    }
}
