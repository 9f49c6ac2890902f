internal import Audit
internal import Postgres
public import Reporting

extension HistoryReader {
    /// What happened in that time, and which history it is. Events are streamed; what is kept of them is bounded.
    ///
    /// Failures of before that time that were not mended until then belong to it.
    public func report(
        since: Timestamp?, until: Timestamp?
    ) throws(HistoryError) -> (report: HistoryReport, origin: HistoryOrigin) {
        var builder = ReportBuilder(since: since, until: until)
        if let since {
            var before = HistoryFilter()
            before.until = Timestamp(microseconds: since.microseconds - 1)
            before.events = ReportBuilder.earlierEvents
            let earlier = try scan(before)
            while let rows = try earlier.next() {
                for row in rows { builder.readEarlier(row) }
            }
        }
        var filter = HistoryFilter()
        filter.since = since
        filter.until = until
        let events = try scan(filter)
        while let rows = try events.next() {
            for row in rows { builder.read(row) }
        }
        return (builder.finish(), events.origin)
    }
}
