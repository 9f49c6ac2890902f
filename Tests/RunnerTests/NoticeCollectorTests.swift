import JSON
import Testing

@testable import Postgres
@testable import Runner

@Suite struct `Notices of a migration` {
    @Test func `leave no trace where there are none`() {
        #expect(NoticeCollector(of: []).detail == nil)
    }

    @Test func `are kept up to a bound and counted beyond it`() {
        var collector = NoticeCollector(of: [])
        let told = (1...1000).filter {
            collector.take(Notice(severity: "NOTICE", sqlstate: "00000", message: "line \($0)")) != nil
        }
        #expect(told.count == NoticeCollector.limit)
        #expect(collector.detail?["count"]?.integer == 1000)
        #expect(collector.detail?["untold"]?.integer == 800)
        #expect(collector.detail?["messages"]?.array?.count == 50)
    }

    @Test func `are escaped and cut`() {
        var collector = NoticeCollector(of: [])
        let message = "a\n<0>b\u{1b}[31m" + String(repeating: "x", count: 9000)
        let told = collector.take(Notice(severity: "WARNING", sqlstate: "00000", message: message))
        #expect(told != nil)
        let kept = collector.detail?["messages"]?.array?.first?.string ?? ""
        #expect(kept.hasPrefix("WARNING: a\\n<0>b\\u{1b}[31mxxx"))
        #expect(kept.utf8.count < 600)
    }
}
