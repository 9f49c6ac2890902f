internal import AuditReading
internal import Glibc

/// Hands on events as they are written, until the session ends or the reader goes.
struct EventFollower {
    private let reader: HistoryReader
    private let filter: HistoryFilter

    init(_ reader: HistoryReader, _ filter: HistoryFilter) {
        self.reader = reader
        self.filter = filter
    }

    /// Begins with the newest `first` that match, all of them for nil, and does not return.
    func run(first: Int?, _ receive: ([HistoryRow]) throws -> Void) throws {
        // Listening begins before the first look, so that nothing can fall in between.
        let notified = try reader.listen()
        var seen = try reader.newestSeq()
        var pages = try reader.log(filter, limit: first)
        while let page = try pages.next() {
            seen = max(seen, page.last?.seq ?? 0)
            try receive(page)
        }
        while true {
            if notified { try reader.waitForNotification() } else { _ = sleep(1) }
            let newest = try reader.newestSeq()
            var news = reader.log(filter, after: seen)
            while let page = try news.next() {
                seen = max(seen, page.last?.seq ?? 0)
                try receive(page)
            }
            seen = max(seen, newest)
        }
    }
}
