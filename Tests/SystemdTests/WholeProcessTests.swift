import Glibc
import Reporting
import Testing

@testable import Systemd

/// What concerns a whole process is tried in one of its own.
@Suite struct `In a process of its own` {
    @Test func `the variables of the service manager are used and taken out of the environment`() async {
        await #expect(processExitsWith: .exitCode(75)) {
            try finish {
                let directory = try TemporaryDirectory()
                let listener = try Listener(directory.at("notify"))
                setenv("NOTIFY_SOCKET", directory.at("notify"), 1)
                setenv("WATCHDOG_USEC", "30000000", 1)
                setenv("WATCHDOG_PID", String(getpid()), 1)
                var notifier = Notifier()
                let watchdog = try #require(Watchdog(notifier: notifier))
                let loop = PollLoop()
                loop.add(watchdog)
                try loop.turn(until: nil)
                notifier.ready(status: "up")
                let told = listener.takeAll().map { String(decoding: $0, as: UTF8.self) }
                let gone = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"].allSatisfy {
                    Process.environment($0) == nil
                }
                let now = Instant.now()
                let next = try #require(watchdog.deadline)
                return told == ["WATCHDOG=1\n", "READY=1\nSTATUS=up\n"] && gone && next > now
                    && next <= now + .seconds(10)
            }
        }
    }

    @Test func `the watchdog of another process is not ours`() async {
        await #expect(processExitsWith: .exitCode(75)) {
            try finish {
                setenv("WATCHDOG_USEC", "30000000", 1)
                setenv("WATCHDOG_PID", "1", 1)
                return Watchdog(notifier: Notifier(socket: nil)) == nil
            }
        }
    }

    @Test func `standard error is the journal's while it is the file that was named`() async {
        await #expect(processExitsWith: .exitCode(75)) {
            try finish {
                var facts = stat()
                fstat(2, &facts)
                setenv("JOURNAL_STREAM", "\(facts.st_dev):\(facts.st_ino)", 1)
                let before = JournalStream.isStandardError
                let null = try Descriptor(opening: "/dev/zero", O_WRONLY)
                dup2(null.number, 2)
                return before && !JournalStream.isStandardError
            }
        }
    }

    @Test func `a relative path is watched from the working directory`() async {
        await #expect(processExitsWith: .exitCode(75)) {
            try finish {
                let directory = try TemporaryDirectory()
                directory.make("m")
                chdir(directory.path)
                let watcher = DirectoryWatcher(path: "./m/../m")
                let loop = PollLoop()
                loop.add(watcher)
                try directory.write("m/1.sql")
                try loop.turn(until: .now() + .seconds(20))
                return watcher.takeHint()
            }
        }
    }
}

/// Ends the process; 75 means that all was as it should be.
private func finish(_ body: () throws -> Bool) throws -> Never {
    let fine = try body()
    exit(fine ? 75 : 1)
}
