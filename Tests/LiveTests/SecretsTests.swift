import Glibc
import LiveSupport
import Testing

/// Passwords where others can read them, in both programs.
@Suite struct `A password that others can read` {
    private static let places = ["password=s3cr3t", "sslpassword=s3cr3t"]

    @Test func `is refused on the command line`() throws {
        let bench = try Workbench()
        let strings =
            Self.places.map { "\(bench.database.conninfo) \($0)" } + [
                "postgresql://postgres:s3cr3t@/\(bench.database.name)?host=\(bench.database.cluster.directory)",
                "postgresql:///app?password=s3cr3t",
            ]
        for conninfo in strings {
            let outcomes = try [
                bench.run("apply", "--database", conninfo), bench.run("apply", "--audit-database", conninfo),
                Program.run(Program.built("auditctl"), ["log", "--database", conninfo]),
            ]
            for outcome in outcomes {
                #expect(outcome.status == 64, "\(outcome)")
                #expect(outcome.errors.contains("in the list of processes"), "\(outcome)")
                #expect(outcome.errors.contains("HINT: Keep it in a file") && !outcome.errors.contains("s3cr3t"))
            }
        }
        #expect(try bench.query("SELECT to_regnamespace('migrated') IS NULL") == "t")
    }

    @Test func `is refused in a configuration that others may read`() throws {
        let bench = try Workbench()
        for (mode, refused) in [(0o644, true), (0o640, true), (0o604, true), (0o600, false), (0o400, false)] {
            for key in ["database = ", "[audit]\ndatabase = "] {
                let text = "\(key)\"\(bench.database.conninfo) password=s3cr3t\"\n"
                try bench.folder.write("secret.toml", text, mode: mode_t(mode))
                let path = bench.folder.path("secret.toml")
                let outcomes = try [
                    Program.run(
                        Program.built("migrated"),
                        [
                            "plan", "--config", path, "--directory", bench.directory, "--state-directory",
                            bench.folder.path("s"),
                        ]
                            + (key.hasPrefix("[") ? ["--schema", "elsewhere"] : [])),
                    Program.run(Program.built("auditctl"), ["log", "--config", path]),
                ]
                for outcome in outcomes {
                    #expect((outcome.status == 77) == refused, "\(mode) \(outcome)")
                    #expect(outcome.errors.contains("chmod go-r \(path)") == refused, "\(mode) \(outcome)")
                    #expect(!outcome.errors.contains("s3cr3t"), "\(outcome)")
                }
                unlink(path)
            }
        }
    }

    @Test func `is told in the environment, and used`() throws {
        let bench = try Workbench()
        let outcome = try bench.run("apply", environment: ["PGPASSWORD": "s3cr3t"])
        #expect(outcome.status == 0 && outcome.errors.contains("PGPASSWORD"), "\(outcome)")
        #expect(!outcome.errors.contains("s3cr3t"))
    }
}
