import Glibc
import LiveSupport
import Testing

@Suite struct `A child process` {
    @Test func `gets only what it was given`() throws {
        let outcome = try Program.run(
            "/bin/sh", ["-c", "pwd; env | sort; cat; ls /proc/self/fd | wc -l; echo oops >&2; exit 3"],
            environment: ["PATH": "/usr/bin:/bin", "LANG": "C"], directory: "/usr", input: "typed\n")
        // 0, 1, 2 and the one that `ls` opens itself.
        #expect(outcome.output == "/usr\nLANG=C\nPATH=/usr/bin:/bin\nPWD=/usr\ntyped\n4\n")
        #expect(outcome.errors == "oops\n")
        #expect(outcome.end == .exited(3))
    }

    @Test func `has no blocked or ignored signal`() throws {
        let outcome = try Program.run("/bin/grep", ["-E", "^Sig(Blk|Ign)", "/proc/self/status"])
        let masks = outcome.output.split(separator: "\n").map { UInt64($0.suffix(16), radix: 16) }
        // 32 and 33 are the C library's own: no program can set them.
        #expect(masks.map { $0.map { $0 & ~0x1_8000_0000 } } == [0, 0])
    }

    @Test func `can be watched, signalled and awaited`() throws {
        let program = try Program(
            "/bin/sh", ["-c", "trap 'echo caught; exit 5' TERM; echo ready; while :; do sleep 0.01; done"])
        try eventually("first line") { program.outputSoFar == "ready\n" }
        #expect(program.isRunning)
        #expect(throws: LiveFailure.self) { try program.wait(within: .milliseconds(20)) }
        program.signal(SIGTERM)
        #expect(try program.wait() == .exited(5))
        #expect(program.outputSoFar == "ready\ncaught\n")
        #expect(!program.isRunning)
    }

    @Test func `ends when nobody holds it any more`() throws {
        var program: Program? = try Program("/bin/sleep", ["600"])
        let process = try #require(program?.process)
        program = nil
        #expect(kill(process, 0) == -1)
    }

    @Test func `tells a signal from an exit`() throws {
        let outcome = try Program.run("/bin/sh", ["-c", "kill -9 $$"])
        #expect(outcome.end == .killed(SIGKILL))
        #expect(outcome.status == 137)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can be somebody else"))
    func `can be somebody else`() throws {
        #expect(try Program.run("/usr/bin/id", ["-un"], user: "nobody").output == "nobody\n")
    }

    @Test func `may be one of the programs under test`() throws {
        #expect(try Program.built("migrated").hasSuffix("/debug/migrated"))
        #expect(throws: LiveFailure.self) { try Program.built("no-such-program") }
    }
}
