import Glibc
import Reporting
import Testing

@testable import Systemd

@Suite struct `The directory watcher` {
    let directory: TemporaryDirectory
    let loop = PollLoop()

    init() throws { directory = try TemporaryDirectory() }

    private func watch(_ name: String) -> DirectoryWatcher {
        let watcher = DirectoryWatcher(path: directory.at(name))
        loop.add(watcher)
        #expect(watcher.failure == nil)
        #expect(!watcher.takeHint())
        return watcher
    }

    /// Whether nothing was noticed of `change`.
    private func overlooks(_ watcher: DirectoryWatcher, _ change: () throws -> Void) throws -> Bool {
        try turnOnce()
        _ = watcher.takeHint()
        try change()
        try turnOnce()
        return !watcher.takeHint()
    }

    private func turnOnce() throws { try loop.turn(until: .now()) }

    /// Expects that `change` is noticed.
    private func expectHint(
        _ watcher: DirectoryWatcher, location: SourceLocation = #_sourceLocation, _ change: () throws -> Void
    ) throws {
        try turnOnce()
        _ = watcher.takeHint()
        try change()
        var noticed = false
        try turn(loop) {
            if watcher.takeHint() { noticed = true }
            return noticed
        }
        #expect(noticed, sourceLocation: location)
    }

    @Test(arguments: ["write", "rename in", "rename away", "remove", "chmod", "link"])
    func `notices what happens to a file`(change: String) throws {
        directory.make("m")
        try directory.write("m/1.sql")
        try directory.write("2.sql")
        let watcher = watch("m")
        try expectHint(watcher) {
            switch change {
            case "write": try directory.write("m/1.sql", "SELECT 3;\n")
            case "rename in": directory.move("2.sql", to: "m/2.sql")
            case "rename away": directory.move("m/1.sql", to: "1.sql")
            case "remove": directory.remove("m/1.sql")
            case "chmod": chmod(directory.at("m/1.sql"), 0o600)
            default: directory.link("m/3.sql", to: "1.sql")
            }
        }
        #expect(watcher.openWriters == [])
        #expect(watcher.lastActivity != nil)
    }

    @Test func `notices what happens in the folders of sqitch's scripts`() throws {
        directory.make("m")
        directory.make("m/deploy")
        directory.make("m/deploy/a")
        directory.make("m/other")
        directory.make("m/other/a")
        let watcher = watch("m")
        #expect(try overlooks(watcher) { try directory.write("m/deploy/a/1.sql") })
        try expectHint(watcher) { try directory.write("m/sqitch.plan") }
        try expectHint(watcher) { try directory.write("m/deploy/a/2.sql") }
        #expect(try overlooks(watcher) { try directory.write("m/other/a/1.sql") })
        // Folders that come at once, and one that is moved in with what it holds.
        try expectHint(watcher) {
            directory.make("m/deploy/a/b")
            directory.make("m/deploy/a/b/c")
        }
        try expectHint(watcher) { try directory.write("m/deploy/a/b/c/1.sql") }
        directory.make("in")
        directory.make("in/d")
        try expectHint(watcher) { directory.move("in", to: "m/deploy/a/in") }
        try expectHint(watcher) { try directory.write("m/deploy/a/in/d/1.sql") }
        try expectHint(watcher) { directory.move("m/deploy/a/in", to: "out") }
        #expect(try overlooks(watcher) { try directory.write("out/d/2.sql") })
        try expectHint(watcher) { directory.link("m/deploy/link", to: "../other/a") }
        try expectHint(watcher) { try directory.write("m/other/a/2.sql") }
        try expectHint(watcher) { directory.remove("m/deploy/link") }
        #expect(try overlooks(watcher) { try directory.write("m/other/a/3.sql") })
        try expectHint(watcher) { directory.remove("m/sqitch.plan") }
        #expect(try overlooks(watcher) { try directory.write("m/deploy/a/3.sql") })
        #expect(watcher.failure == nil)
    }

    @Test func `is not woken by reading and scanning`() throws {
        directory.make("m")
        try directory.write("m/1.sql")
        let watcher = watch("m")
        #expect(
            try overlooks(watcher) {
                let scan = try DirectoryScan.scan(directory.at("m"))
                _ = try scan.read(scan.entries[0], limit: 100)
                _ = scan.isBeingWritten(scan.entries[0])
            })
        #expect(try overlooks(watcher) { try directory.write("beside.sql") })
    }

    @Test func `follows a symbolic link that is swapped there and back`() throws {
        for release in ["one", "two"] {
            directory.make(release)
            directory.make("\(release)/m")
        }
        directory.link("current", to: "one")
        let watcher = watch("current/m")
        try expectHint(watcher) { try directory.write("one/m/1.sql") }
        try expectHint(watcher) { directory.swap("current", to: "two") }
        try expectHint(watcher) { try directory.write("two/m/2.sql") }
        #expect(try overlooks(watcher) { try directory.write("one/m/3.sql") })
        try expectHint(watcher) { directory.swap("current", to: directory.at("one")) }
        try expectHint(watcher) { try directory.write("one/m/4.sql") }
        #expect(try overlooks(watcher) { try directory.write("two/m/5.sql") })
    }

    @Test func `follows a chain of links and a link in the last place`() throws {
        directory.make("real")
        directory.make("other")
        directory.make("links")
        directory.link("links/b", to: "../real")
        directory.link("a", to: "links/b")
        let watcher = watch("a")
        try expectHint(watcher) { try directory.write("real/1.sql") }
        try expectHint(watcher) { directory.swap("links/b", to: "../other") }
        try expectHint(watcher) { try directory.write("other/1.sql") }
    }

    @Test(arguments: [false, true])
    func `a directory that is removed and made again is watched again`(kept: Bool) throws {
        directory.make("m")
        try directory.write("m/1.sql")
        let watcher = watch("m")
        // A scan that still holds the directory open keeps the kernel from saying that it is gone.
        let scan = kept ? try DirectoryScan.scan(directory.at("m")) : nil
        try expectHint(watcher) { directory.remove("m") }
        try expectHint(watcher) { directory.make("m") }
        try expectHint(watcher) { try directory.write("m/2.sql") }
        #expect(scan?.entries.count == (kept ? 1 : nil))
    }

    @Test func `removed and made again between two turns`() throws {
        directory.make("m")
        let watcher = watch("m")
        try expectHint(watcher) {
            directory.remove("m")
            directory.make("m")
        }
        try expectHint(watcher) { try directory.write("m/2.sql") }
    }

    @Test func `a parent that is swapped is noticed`() throws {
        for parent in ["app", "new"] {
            directory.make(parent)
            directory.make("\(parent)/db")
            directory.make("\(parent)/db/m")
        }
        let watcher = watch("app/db/m")
        try expectHint(watcher) {
            directory.move("app", to: "old")
            directory.move("new", to: "app")
        }
        try expectHint(watcher) { try directory.write("app/db/m/1.sql") }
        #expect(try overlooks(watcher) { try directory.write("old/db/m/1.sql") })
        try expectHint(watcher) { directory.remove("app") }
        try expectHint(watcher) { directory.move("old", to: "app") }
        try expectHint(watcher) { try directory.write("app/db/m/2.sql") }
    }

    @Test func `a directory that does not exist yet is awaited`() throws {
        let watcher = watch("a/b/m")
        #expect(try overlooks(watcher) { directory.make("x") })
        directory.make("a")
        try turnOnce()
        directory.make("a/b")
        directory.make("a/b/m")
        try expectHint(watcher) { try directory.write("a/b/m/1.sql") }
    }

    @Test func `a link to nothing is awaited`() throws {
        directory.link("current", to: "releases/1")
        let watcher = watch("current")
        directory.make("releases")
        try turnOnce()
        try expectHint(watcher) { directory.make("releases/1") }
        try expectHint(watcher) { try directory.write("releases/1/1.sql") }
    }

    @Test func `a loop of links and a file in the directory's place do no harm`() throws {
        directory.link("loop", to: "loop")
        try directory.write("file")
        let loop = watch("loop")
        try expectHint(loop) {
            directory.make("real")
            directory.swap("loop", to: "real")
        }
        try expectHint(loop) { try directory.write("real/1.sql") }
        let file = watch("file")
        try expectHint(file) {
            directory.remove("file")
            directory.make("file")
        }
        try expectHint(file) { try directory.write("file/1.sql") }
    }

    @Test func `directories in the directory are watched when they come`() throws {
        directory.make("m")
        directory.make("m/1")
        directory.make("outside")
        let watcher = watch("m")
        try expectHint(watcher) { try directory.write("m/1/migration.sql") }
        try expectHint(watcher) { directory.make("m/2") }
        try expectHint(watcher) { try directory.write("m/2/migration.sql") }
        try directory.write("outside/migration.sql")
        try expectHint(watcher) { directory.move("outside", to: "m/3") }
        try expectHint(watcher) { try directory.write("m/3/migration.sql") }
        try expectHint(watcher) { directory.move("m/3", to: "away") }
        #expect(try overlooks(watcher) { try directory.write("away/migration.sql") })
        try expectHint(watcher) { directory.move("m/2", to: "m/4") }
        let slow = try Descriptor(opening: directory.at("m/4/late.sql"), O_WRONLY | O_CREAT, mode: 0o644)
        try turnOnce()
        #expect(watcher.openWriters == ["4/late.sql"])
        _ = slow
    }

    @Test func `a linked directory in the directory is followed when it is swapped`() throws {
        directory.make("m")
        directory.make("m/..1")
        directory.make("m/..2")
        directory.link("m/..data", to: "..1")
        let watcher = watch("m")
        try expectHint(watcher) {
            directory.link("m/..tmp", to: "..2")
            directory.move("m/..tmp", to: "m/..data")
        }
        try expectHint(watcher) { try directory.write("m/..2/x.sql") }
    }

    @Test func `what is no longer on the way is no longer watched`() throws {
        for release in ["one", "two"] {
            directory.make(release)
            directory.make("\(release)/m")
            directory.make("\(release)/m/1")
        }
        directory.link("current", to: "one")
        let watcher = watch("current/m")
        let before = try watchCount(watcher)
        for release in ["two", "one", "two", "one"] {
            try expectHint(watcher) { directory.swap("current", to: release) }
        }
        for number in 0..<3 {
            try expectHint(watcher) { directory.make("one/m/2") }
            try expectHint(watcher) { directory.move("one/m/2", to: "away\(number)") }
        }
        try turnOnce()
        #expect(try watchCount(watcher) == before)
    }

    /// How many watches the kernel keeps.
    private func watchCount(_ watcher: DirectoryWatcher) throws -> Int {
        let descriptor = try #require(watcher.descriptor)
        let facts = try WholeFile.read("/proc/self/fdinfo/\(descriptor)", limit: 1 << 20)
        return facts.split(separator: UInt8(ascii: "\n")).count { $0.starts(with: "inotify".utf8) }
    }

    @Test func `a slow writer is known until it closes`() throws {
        directory.make("m")
        try directory.write("m/old.sql")
        let watcher = watch("m")
        var slow: Descriptor? = try Descriptor(opening: directory.at("m/1.sql"), O_WRONLY | O_CREAT, mode: 0o644)
        var append: Descriptor? = try Descriptor(opening: directory.at("m/old.sql"), O_WRONLY | O_APPEND)
        try turnOnce()
        #expect(watcher.openWriters == ["1.sql"])
        for descriptor in [slow, append].compactMap(\.self) {
            try Process.write(Array("SELECT 1".utf8), to: descriptor.number)
        }
        try turnOnce()
        #expect(watcher.openWriters == ["1.sql", "old.sql"])
        _ = slow
        slow = nil
        try turnOnce()
        #expect(watcher.openWriters == ["old.sql"])
        _ = append
        append = nil
        try turnOnce()
        #expect(watcher.openWriters == [])
    }

    @Test func `a name without a writer is none`() throws {
        directory.make("m")
        try directory.write("elsewhere")
        let watcher = watch("m")
        try expectHint(watcher) {
            #expect(Glibc.link(directory.at("elsewhere"), directory.at("m/hard.sql")) == 0)
            directory.link("m/soft.sql", to: "hard.sql")
            #expect(mkfifo(directory.at("m/pipe.sql"), 0o644) == 0)
        }
        #expect(watcher.openWriters == [])
    }

    @Test func `a silent writer is forgotten after a minute`() {
        var writers = OpenWriters()
        let start = Instant(microseconds: 0)
        writers.note(.create, "a", now: start)
        writers.note(.modify, "b", now: start)
        writers.note(.attributes, "c", now: start)
        #expect(writers.paths(now: start + .seconds(59)) == ["a", "b"])
        writers.note(.attributes, "a", now: start + .seconds(59))
        #expect(writers.paths(now: start + .seconds(60)) == ["a"])
        writers.note(.closeWrite, "a", now: start + .seconds(61))
        #expect(writers.paths(now: start + .seconds(61)) == [])
    }

    @Test func `a flood that overflows the queue ends in a hint and a watch that works`() throws {
        directory.make("m")
        let watcher = watch("m")
        let limit = String(
            decoding: try WholeFile.read("/proc/sys/fs/inotify/max_queued_events", limit: 100), as: UTF8.self)
        // Three events each.
        let count = try #require(Int(limit.prefix { $0 != "\n" })) / 3 + 100
        for number in 0..<count {
            let name = directory.at("m/\(number)")
            close(open(name, O_WRONLY | O_CREAT, 0o644))
            unlink(name)
        }
        // The queue is full: nothing tells of this directory.
        directory.make("m/late")
        var noticed = false
        try turn(loop) {
            if watcher.takeHint() { noticed = true }
            return noticed
        }
        #expect(noticed)
        for _ in 0..<100 { try turnOnce() }
        try expectHint(watcher) { try directory.write("m/late/migration.sql") }
        #expect(watcher.failure == nil)
    }

    @Test func `events are read as the kernel writes them`() {
        let one: [UInt8] = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 97, 98, 0, 0]
        let two: [UInt8] = [255, 255, 255, 255, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        let events = InotifyEvent.parse((one + two)[...])
        #expect(events.map(\.watch) == [1, -1])
        #expect(events.map(\.mask) == [.create, .overflow])
        #expect(events.map(\.name) == [[97, 98], []])
    }
}
