import Glibc
import Reporting
import Testing

@testable import Systemd

@Suite struct `The poll loop` {
    @Test func `serves a descriptor that is ready`() throws {
        let (reader, writer) = try pipePair()
        let source = Probe(descriptor: reader.number, interest: .read)
        let loop = PollLoop()
        loop.add(source)
        try Process.write([1], to: writer.number)
        try turn(loop) { !source.events.isEmpty }
        #expect(source.events.first == .read)
    }

    @Test func `serves a deadline and a ready descriptor in one turn`() throws {
        let (reader, writer) = try pipePair()
        try Process.write([1], to: writer.number)
        let busy = Probe(descriptor: reader.number, interest: .read)
        let timer = Probe(deadline: .now())
        let loop = PollLoop()
        loop.add(busy)
        loop.add(timer)
        try loop.turn(until: nil)
        #expect(busy.events.count == 1)
        #expect(timer.deadlines == 1)
    }

    @Test func `returns at its limit without serving anybody`() throws {
        let timer = Probe(deadline: .now() + .seconds(3600))
        let loop = PollLoop()
        loop.add(timer)
        let limit = Instant.now() + .milliseconds(5)
        try loop.turn(until: limit)
        #expect(Instant.now() >= limit)
        #expect(timer.deadlines == 0)
    }

    @Test func `tells a hang-up as readiness`() throws {
        let (reader, writer) = try pipePair()
        let source = Probe(descriptor: reader.number, interest: .read)
        _ = consume writer
        let loop = PollLoop()
        loop.add(source)
        try loop.turn(until: .now() + .seconds(20))
        #expect(source.events == [.read])
    }

    @Test func `does not serve a source that another one removed in the same turn`() throws {
        let loop = PollLoop()
        let second = Probe(deadline: .now())
        let first = Probe(deadline: .now())
        first.whenServed = { loop.remove(second) }
        loop.add(first)
        loop.add(second)
        try loop.turn(until: nil)
        #expect(first.deadlines == 1)
        #expect(second.deadlines == 0)
    }

    @Test func `rounds a wait up to the millisecond`() {
        let start = Instant(microseconds: 5)
        #expect(PollLoop.milliseconds(from: start, to: Instant(microseconds: 6)) == 1)
        #expect(PollLoop.milliseconds(from: start, to: start) == 0)
        #expect(PollLoop.milliseconds(from: start, to: Instant(microseconds: 0)) == 0)
        #expect(PollLoop.milliseconds(from: start, to: Instant(microseconds: .max)) == .max)
    }

    @Test func `the end of time stays the end of time`() {
        #expect(Instant(microseconds: .max) + .seconds(1) == Instant(microseconds: .max))
    }
}

@Suite struct `Signals and children of the service manager` {
    @Test func `signals are taken note of`() throws {
        let signals = try Signals()
        let loop = PollLoop()
        loop.add(signals)
        pthread_kill(pthread_self(), SIGHUP)
        try loop.turn(until: .now() + .seconds(20))
        #expect(!signals.stopRequested)
        #expect(signals.takeReload())
        #expect(!signals.takeReload())

        pthread_kill(pthread_self(), SIGTERM)
        try loop.turn(until: .now() + .seconds(20))
        #expect(signals.stopRequested)
        #expect(signals.stopSignal == "SIGTERM")
        #expect(!signals.stopRequestedAgain)

        pthread_kill(pthread_self(), SIGINT)
        try loop.turn(until: .now() + .seconds(20))
        #expect(signals.stopRequestedAgain)
        #expect(signals.stopSignal == "SIGTERM")
    }

    @Test func `states are told`() throws {
        let directory = try TemporaryDirectory()
        let listener = try Listener(directory.at("notify"))
        var notifier = Notifier(socket: directory.at("notify"))
        notifier.ready(status: "3 applied")
        #expect(listener.text() == "READY=1\nSTATUS=3 applied\n")
        notifier.status("3 applied")
        #expect(listener.text() == nil)
        notifier.status("bad\nREADY=1\u{1b}")
        #expect(listener.text() == "STATUS=bad\\nREADY=1\\u{1b}\n")
        notifier.reloading()
        let reload = try #require(listener.text())
        #expect(reload.hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
        notifier.extendTimeout(.seconds(5))
        #expect(listener.text() == "EXTEND_TIMEOUT_USEC=5000000\n")
        notifier.errno(28)
        #expect(listener.text() == "ERRNO=28\n")
        notifier.stopping(status: "bye")
        #expect(listener.text() == "STOPPING=1\nSTATUS=bye\n")
    }

    @Test func `a status that nobody took is sent again`() throws {
        let directory = try TemporaryDirectory()
        var notifier = Notifier(socket: directory.at("notify"))
        notifier.status("waiting")
        let listener = try Listener(directory.at("notify"))
        notifier.status("waiting")
        #expect(listener.text() == "STATUS=waiting\n")
    }

    @Test(arguments: [
        nil, "", "garbage", "/nowhere/at/all", "@", "vsock:2:1", "/" + String(repeating: "x", count: 300),
    ])
    func `a useless socket is harmless`(path: String?) {
        var notifier = Notifier(socket: path)
        notifier.ready(status: "x")
        notifier.stopping(status: "x")
    }

    @Test func `the watchdog is fed three times as often as it bites`() throws {
        let directory = try TemporaryDirectory()
        let listener = try Listener(directory.at("notify"))
        let start = Instant(microseconds: 1000)
        let watchdog = Watchdog(interval: .seconds(30), notifier: Notifier(socket: directory.at("notify")), now: start)
        #expect(watchdog.deadline == start)
        watchdog.deadlinePassed(now: start)
        #expect(listener.text() == "WATCHDOG=1\n")
        #expect(watchdog.deadline == start + .seconds(10))
        // A loop that was held up for long feeds once, not once for each period that it missed.
        watchdog.deadlinePassed(now: start + .seconds(100))
        #expect(listener.takeAll().count == 1)
        #expect(watchdog.deadline == start + .seconds(110))
    }

    @Test func `a process that nobody watches has no watchdog`() {
        #expect(Watchdog(notifier: Notifier(socket: nil)) == nil)
    }
}

/// A source that remembers what it was told.
final class Probe: PollSource {
    let descriptor: Int32?
    let interest: PollInterest
    private(set) var deadline: Instant?
    private(set) var events: [PollInterest] = []
    private(set) var deadlines = 0
    var whenServed: () -> Void = {}

    init(descriptor: Int32? = nil, interest: PollInterest = [], deadline: Instant? = nil) {
        self.descriptor = descriptor
        self.interest = interest
        self.deadline = deadline
    }

    func ready(_ events: PollInterest, now: Instant) { self.events.append(events) }

    func deadlinePassed(now: Instant) {
        deadlines += 1
        deadline = nil
        whenServed()
    }
}

func pipePair() throws -> (reader: Descriptor, writer: Descriptor) {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    signal(SIGPIPE, SIG_IGN)
    return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
}
