import Glibc
import LiveSupport
import Testing

@Suite(.enabled(if: geteuid() == 0, "only root can boot a container"))
struct `A throw-away machine` {
    @Test func `hands back what the command wrote and its exit code`() throws {
        let outcome = try Machine().run("echo said; echo complained >&2; exit 7")
        #expect(outcome.output == "said\n")
        #expect(outcome.errors == "complained\n")
        #expect(outcome.end == .exited(7))
    }

    @Test func `has the units, without a word of complaint, and their user`() throws {
        let outcome = try Machine().run(
            """
            systemctl show --property=LoadState --value migrated.service migrated@some.service
            journalctl --boot --no-pager --output=cat --priority=warning --grep=migrated
            getent passwd migrated | cut -d: -f6,7
            """)
        #expect(outcome.output == "loaded\n\nloaded\n/var/lib/migrated:/usr/sbin/nologin\n", "\(outcome)")
    }

    @Test func `can be two at once, neither seeing the other`() throws {
        let first = try Machine().boot("touch /seen; sleep 0.3; ls /trial; ls /seen")
        let second = try Machine().boot("sleep 0.3; ls /seen")
        #expect(try first.outcome().status == 0)
        #expect(try second.outcome().status == 2)
    }

    @Test func `is gone when its script is killed`() throws {
        let sleeper = "sleep 4\(getpid())"
        let boot = try Machine().boot("exec \(sleeper)")
        try eventually("the command inside") { try runs(sleeper) }
        boot.signal(SIGKILL)
        try boot.wait()
        try eventually("end of the command inside") { try !runs(sleeper) }
    }

    @Test func `ends when its time is over`() throws {
        let outcome = try Machine().run("sleep 600", within: .seconds(2))
        #expect(outcome.status == 124)
    }
}

private func runs(_ command: String) throws -> Bool {
    try Program.run("/usr/bin/pgrep", ["--full", "--exact", command]).status == 0
}
