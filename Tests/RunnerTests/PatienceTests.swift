import Reporting
import Systemd
import Testing

@testable import Runner

@Suite struct `Patience with a statement` {
    private let start = Instant.now()

    @Test func `waits for the limit while nothing happens`() {
        var patience = Patience.statements(until: start + .seconds(5))
        let first = patience.judge(now: start, stopRequested: false)
        #expect(first == .wait(until: start + .seconds(5)))
        #expect(patience.cause == nil)
        var endless = Patience.statements(until: nil)
        let second = endless.judge(now: start + .seconds(86_400), stopRequested: false)
        #expect(second == .wait(until: nil))
    }

    @Test func `cancels once on a stop, then gives up when even that brings no answer`() {
        var patience = Patience.statements(until: nil)
        let first = patience.judge(now: start, stopRequested: true)
        #expect(first == .cancel)
        #expect(patience.cause == .stop)
        let end = start + patience.grace
        let second = patience.judge(now: start, stopRequested: true)
        #expect(second == .wait(until: end))
        let third = patience.judge(now: end, stopRequested: true)
        #expect(third == .giveUp)
    }

    @Test func `cancels at the deadline and keeps to that cause when a stop follows`() {
        var patience = Patience.statements(until: start)
        let first = patience.judge(now: start, stopRequested: false)
        #expect(first == .cancel)
        let second = patience.judge(now: start, stopRequested: true)
        #expect(second == .wait(until: start + patience.grace))
        #expect(patience.cause == .deadline)
    }

    @Test func `does not let a stop interrupt our own bookkeeping`() {
        var patience = Patience.bookkeeping(from: start)
        let first = patience.judge(now: start, stopRequested: true)
        #expect(first == .wait(until: start + .seconds(60)))
        let second = patience.judge(now: start + .seconds(60), stopRequested: true)
        #expect(second == .giveUp)
        #expect(patience.cause == .deadline)
    }

    @Test func `gives up connecting at once on a stop, unless an end is to be recorded`() {
        var ordinary = Patience.connecting(from: start, yieldsToStop: true)
        let first = ordinary.judge(now: start, stopRequested: true)
        #expect(first == .giveUp)
        var finishing = Patience.connecting(from: start, yieldsToStop: false)
        let second = finishing.judge(now: start, stopRequested: true)
        #expect(second == .wait(until: start + .seconds(3)))
    }
}
