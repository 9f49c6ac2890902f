import Glibc
import Reporting
import Testing

@testable import Systemd

@Suite struct `The process and its clock` {
    @Test func `facts of this process`() {
        #expect(Process.pid == getpid())
        #expect(!Process.hostName.isEmpty)
        #expect(Process.userName(of: 0) == "root")
        #expect(Process.userName(of: 4_000_000_001) == nil)
        #expect(Process.environment("MIGRATED_NO_SUCH_VARIABLE") == nil)
    }

    @Test(arguments: [("1000\n", 1000), ("4294967295", nil), ("", nil), ("x", nil)])
    func `the login user is what the kernel says`(text: String, user: UInt32?) {
        #expect(Process.loginUser(text: text) == user)
    }

    @Test func `a reader that has gone away is an error and not a death`() throws {
        let (reader, writer) = try pipePair()
        _ = consume reader
        #expect(throws: SystemFailure("write", errno: EPIPE)) { try Process.write([1], to: writer.number) }
    }

    @Test func `all bytes are written even to a pipe that does not block`() throws {
        let (reader, writer) = try pipePair()
        _ = fcntl(writer.number, F_SETFL, O_NONBLOCK)
        let bytes = [UInt8](repeating: 7, count: 300_000)
        let collector = Collector(reader)
        try Process.write(bytes, to: writer.number)
        #expect(collector.wait(for: bytes.count) == bytes.count)
    }

    @Test func `a pipe is no terminal`() throws {
        let (reader, _) = try pipePair()
        #expect(!Process.isTerminal(reader.number))
        #expect(Process.terminalWidth(reader.number) == nil)
    }

    @Test func `a failure tells what, on what and why`() {
        let failure = SystemFailure("open", path: "/x", errno: EACCES)
        #expect(failure.complaint == Complaint(.permission, "cannot open '/x': Permission denied"))
        #expect(SystemFailure("wait", errno: ENOMEM).complaint.status == .inputOutput)
    }

    @Test(arguments: [
        (0, "2000-01-01T00:00:00.000000Z"), (-1, "1999-12-31T23:59:59.999999Z"),
        (825_685_509_012_345, "2026-03-01T13:05:09.012345Z"),
        (-1_000_000, "1999-12-31T23:59:59.000000Z"), (Int64.max, "infinity"), (Int64.min, "-infinity"),
        (9_007_199_254_740_993, "2285-06-04T23:47:34.740993Z"),
    ])
    func `a date is told in UTC`(date: Int64, text: String) { #expect(WallClock.rfc3339(date) == text) }

    @Test func `a date is told in local time`() {
        let text = WallClock.localText(825_685_509_012_345)
        #expect(text.wholeMatch(of: #/2026-0[23]-\d\d \d\d:\d\d:09\.012345 [+-]\d{4}/#) != nil)
        #expect(WallClock.localText(.max) == "infinity")
        #expect(WallClock.now() > 0)
    }
}

@Suite struct `The state directory` {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test(arguments: [
        ("/given", ["STATE_DIRECTORY": "/a"], "/given"), (nil, ["STATE_DIRECTORY": "/a:/b", "HOME": "/h"], "/a"),
        (nil, ["XDG_STATE_HOME": "/x", "HOME": "/h"], "/x/migrated"), (nil, ["HOME": "/h"], "/h/.local/state/migrated"),
        (nil, ["XDG_STATE_HOME": "relative", "STATE_DIRECTORY": "", "HOME": "/h"], "/h/.local/state/migrated"),
    ])
    func `is found`(option: String?, environment: [String: String], path: String) throws {
        #expect(try StateDirectory.locate(option: option) { environment[$0] }.path == path)
    }

    @Test func `is missing where nothing names it`() {
        #expect(throws: Complaint.self) { try StateDirectory.locate(option: nil) { _ in nil } }
    }

    @Test func `keeps lines`() throws {
        let state = StateDirectory(path: directory.at("new/state")).subdirectory("123-5")
        #expect(try state.lines(of: "anchors") == [])
        try state.append("one", to: "anchors")
        try state.append("", to: "anchors")
        try state.append("two", to: "anchors")
        #expect(try state.lines(of: "anchors") == ["one", "", "two"])
        var facts = stat()
        #expect(stat(directory.at("new/state/123-5/anchors"), &facts) == 0)
        #expect(facts.st_mode & 0o777 == 0o640)
        #expect(stat(directory.at("new"), &facts) == 0)
        #expect(facts.st_mode & 0o777 == 0o750)
    }

    @Test func `neither tells an unfinished line nor joins it with the next`() throws {
        try directory.write("anchors", "one\ntw")
        let state = StateDirectory(path: directory.path)
        #expect(try state.lines(of: "anchors") == ["one"])
        try state.append("three", to: "anchors")
        #expect(try state.lines(of: "anchors") == ["one", "tw", "three"])
    }

    @Test func `says what it cannot do`() throws {
        try directory.write("file")
        let state = StateDirectory(path: directory.at("file/state"))
        #expect(throws: SystemFailure.self) { try state.append("x", to: "anchors") }
        #expect(throws: SystemFailure.self) { try state.lines(of: "anchors") }
        directory.make("anchors")
        #expect(throws: SystemFailure.self) { try StateDirectory(path: directory.path).append("x", to: "anchors") }
        directory.link("linked", to: "file")
        #expect(throws: SystemFailure.self) { try StateDirectory(path: directory.path).append("x", to: "linked") }
        #expect(throws: SystemFailure("append to", path: "/dev/full", errno: EINVAL)) {
            try StateDirectory(path: "/dev").append("x", to: "full")
        }
    }
}

/// Reads a pipe on a thread of its own and counts.
final class Collector: @unchecked Sendable {
    // Written by the thread alone, read after it was joined.
    private var count = 0
    private let reader: Descriptor
    private var thread = pthread_t()
    private var wanted = 0

    init(_ reader: Descriptor) {
        self.reader = reader
        wanted = 300_000
        let context = Unmanaged.passRetained(self).toOpaque()
        pthread_create(
            &thread, nil,
            { @Sendable context in
                guard let context else { return nil }
                Unmanaged<Collector>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context)
    }

    private func run() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while count < wanted {
            let got = read(reader.number, &buffer, buffer.count)
            if got <= 0 { return }
            count += got
        }
    }

    func wait(for total: Int) -> Int {
        pthread_join(thread, nil)
        return count
    }
}
