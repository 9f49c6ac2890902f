import Reporting
import Systemd
import Testing

@testable import Runner

@Suite struct `The agenda of the daemon` {
    private let start = Instant.now()
    private func agenda() -> Agenda { Agenda(settle: .milliseconds(500), rescan: .seconds(60), now: start) }
    private func after(_ milliseconds: Int64) -> Instant { start + .milliseconds(milliseconds) }

    @Test func `runs first when the directory has been quiet for the settle time`() {
        let agenda = agenda()
        #expect(agenda.next(now: start) == .wait(until: after(500)))
        #expect(agenda.next(now: after(500)) == .run)
    }

    @Test func `is put off by every change of the directory`() {
        var agenda = agenda()
        agenda.directoryChanged(at: after(400))
        #expect(agenda.next(now: after(600)) == .wait(until: after(900)))
        agenda.directoryChanged(at: after(800))
        #expect(agenda.next(now: after(1300)) == .run)
    }

    @Test func `rests until the rescan after a run, and no change is forgotten`() {
        var agenda = agenda()
        agenda.ran(now: after(1000))
        #expect(agenda.next(now: after(1000)) == .wait(until: after(61_000)))
        agenda.directoryChanged(at: after(2000))
        #expect(agenda.next(now: after(2000)) == .wait(until: after(2500)))
    }

    @Test func `looks at once when somebody else wrote into the history`() {
        var agenda = agenda()
        agenda.ran(now: after(1000))
        agenda.historyChanged(now: after(1500))
        #expect(agenda.next(now: after(1500)) == .run)
    }

    @Test func `waits longer for a database each time, up to ten seconds, and starts over once it answers`() {
        var agenda = agenda()
        var now = start
        for wait in [200, 500, 1000, 2000, 5000, 10_000, 10_000] as [Int64] {
            agenda.databaseMissed(now: now, jitter: .milliseconds(0))
            #expect(agenda.next(now: now) == .wait(until: now + .milliseconds(wait)))
            now = now + .milliseconds(wait)
        }
        agenda.ran(now: now)
        agenda.databaseMissed(now: now, jitter: .milliseconds(7))
        #expect(agenda.next(now: now) == .wait(until: now + .milliseconds(207)))
    }

    @Test func `does not let a rescan cut a wait for the database short`() {
        var agenda = Agenda(settle: .seconds(0), rescan: .seconds(1), now: start)
        for _ in 1...6 { agenda.databaseMissed(now: start, jitter: .milliseconds(0)) }
        #expect(agenda.next(now: after(2000)) == .wait(until: after(10_000)))
    }

    @Test func `gives a writer a moment even where it acts at once`() {
        var agenda = Agenda(settle: .seconds(0), rescan: .seconds(60), now: start)
        agenda.directoryBusy(now: start)
        #expect(agenda.next(now: start) == .wait(until: after(100)))
    }
}
