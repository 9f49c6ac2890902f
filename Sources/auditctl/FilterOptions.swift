internal import ArgumentParser
internal import Audit
internal import AuditReading
internal import Reporting
internal import Systemd

/// The filters of `log`; all that are given must hold.
struct FilterOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Recorded then or later.", valueName: "moment"))
    var since: String?
    @Option(name: .long, help: ArgumentHelp("Recorded then or before.", valueName: "moment"))
    var until: String?
    @Option(
        name: .long, help: ArgumentHelp("Of this kind; several with commas or repeated.", valueName: "kind"),
        completion: .list(EventKind.allCases.map(\.rawValue)))
    var event: [String] = []
    @Option(
        name: .long, help: ArgumentHelp("Of the migration with this version or name.", valueName: "version"),
        completion: .custom(Completions.versions))
    var migration: String?
    @Option(name: .long, help: ArgumentHelp("Of this attempt.", valueName: "uuid"))
    var attempt: String?
    @Option(
        name: .long, help: ArgumentHelp("With this reason, a word such as blocked_by_failure.", valueName: "word"),
        completion: .custom(Completions.reasons))
    var reason: String?
    @Option(name: .long, help: ArgumentHelp("Written on this host.", valueName: "name"))
    var host: String?
    @Option(name: .long, help: ArgumentHelp("Caused by this unit or person.", valueName: "who"))
    var by: String?
    @Option(name: .long, help: ArgumentHelp("About this database object or a part of it.", valueName: "name"))
    var object: String?
    @Flag(name: .long, help: "What went wrong: failed, rollback_failed and interrupted.")
    var failed = false
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Matching this regular expression in version, name, object, reason, message or detail; any case if all lower case.",
            valueName: "regex"))
    var grep: String?

    /// The filter that the words mean.
    func filter() throws -> HistoryFilter {
        var filter = HistoryFilter()
        filter.since = try FilterOptions.moment("--since", since)
        filter.until = try FilterOptions.moment("--until", until)
        for word in event.flatMap({ $0.split(separator: ",") }) {
            guard let kind = EventKind(rawValue: String(word)) else {
                throw Complaint(
                    .usage, "'\(word)' is no kind of event",
                    hint: "There are: \(EventKind.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            filter.events.append(kind)
        }
        if failed { filter.events += HistoryFilter.failures }
        if let attempt {
            guard let id = UUID(attempt) else { throw Complaint(.usage, "--attempt '\(attempt)' is no uuid") }
            filter.attempt = id
        }
        filter.migration = migration
        filter.reason = reason
        filter.host = host
        filter.by = by
        filter.object = object
        filter.grep = grep
        return filter
    }

    static func moment(_ flag: String, _ text: String?) throws -> Timestamp? {
        guard let text else { return nil }
        let reader = MomentText(now: Timestamp(microseconds: WallClock.now()), offset: LocalTime.offset)
        guard let moment = reader.moment(text) else {
            throw Complaint(
                .usage, "\(flag) '\(text)' is no moment",
                hint:
                    "Write it as systemd.time(7) has it: '2 days ago', 'yesterday', '2026-01-31 22:05', '@1700000000'.")
        }
        return moment
    }
}
