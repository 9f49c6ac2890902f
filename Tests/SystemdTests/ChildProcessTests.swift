import Reporting
import Systemd
import Testing

@Suite struct `A child process` {
    @Test func `gets its input and gives its output and status, in the loop`() throws {
        let outcome = try ChildProcess.run(
            "/bin/sh", ["-c", "tr a-z A-Z; echo warned >&2; exit 3"], input: Array("text\n".utf8), limit: .seconds(30),
            loop: PollLoop())
        #expect(outcome.status == 3)
        #expect(String(decoding: outcome.output, as: UTF8.self) == "TEXT\n")
        #expect(String(decoding: outcome.errors, as: UTF8.self) == "warned\n")
    }

    @Test func `inherits no environment`() throws {
        let outcome = try ChildProcess.run(
            "/bin/sh", ["-c", "env | grep -v -e ^PWD= -e ^_= -e ^OLDPWD= -e ^SHLVL= | sort"], input: [],
            limit: .seconds(30), loop: PollLoop())
        #expect(
            String(decoding: outcome.output, as: UTF8.self) == "HOME=/nonexistent\nLC_ALL=C\nPATH=/usr/bin:/bin\n")
    }

    @Test func `is killed when its time is over`() throws {
        let outcome = try ChildProcess.run(
            "/bin/sleep", ["600"], input: [], limit: .milliseconds(50), loop: PollLoop())
        #expect(outcome.status == nil)
    }

    @Test func `that is not there is told`() {
        let failure = #expect(throws: SystemFailure.self) {
            try ChildProcess.run("/no/such/program", [], input: [], limit: .seconds(1), loop: PollLoop())
        }
        #expect(failure?.complaint.message == "cannot start '/no/such/program': No such file or directory")
    }
}
