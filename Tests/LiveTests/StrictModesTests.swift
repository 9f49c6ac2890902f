import Glibc
import LiveSupport
import Testing

/// Who could put something else where the configuration, the migrations or a key are looked for: the file itself, each directory above it, and
/// those of every symbolic link on the way.
@Suite struct `A path that others could change` {
    /// `place/inner` holds everything; `place` is what the tests spoil.
    private struct Ground {
        let bench: Workbench
        var folder: TemporaryDirectory { bench.folder }

        init() throws {
            bench = try Workbench()
            try folder.makeDirectory("place")
            try folder.makeDirectory("place/inner")
            try folder.makeDirectory("place/inner/m")
            try folder.write("place/inner/m/001_one.sql", "CREATE TABLE one ();\n")
            try folder.write(
                "place/inner/migrated.toml", "database = \"\(bench.database.conninfo)\"\ndirectory = \"m\"\n")
        }

        func run(_ verb: String, _ more: String..., config: String = "place/inner/migrated.toml") throws
            -> Program.Outcome
        {
            try Program.run(
                Program.built("migrated"),
                [verb, "--config", folder.path(config), "--state-directory", folder.path("state")] + more)
        }

        func log(config: String = "place/inner/migrated.toml") throws -> Program.Outcome {
            try Program.run(Program.built("auditctl"), ["log", "--config", folder.path(config)])
        }

        var isUntouched: Bool { get throws { try bench.query("SELECT to_regclass('one') IS NULL") == "t" } }
    }

    @Test(arguments: ["place", "place/inner", "place/inner/migrated.toml"], [0o777, 0o775, 0o1777])
    func `is no place for a configuration`(spoilt: String, mode: Int) throws {
        let ground = try Ground()
        chmod(ground.folder.path(spoilt), mode_t(mode))
        // In a sticky directory nobody else can touch what is root's or one's own.
        let isFine = mode == 0o1777 && spoilt != "place/inner/migrated.toml"
        for outcome in try [ground.run("check"), ground.log()] {
            #expect((outcome.status == 77) != isFine, "\(outcome)")
            let command = "chmod go-w \(ground.folder.path(spoilt))"
            #expect(outcome.errors.contains(command) != isFine, "\(outcome)")
        }
    }

    @Test(arguments: [0o777, 0o775]) func `is no place for migrations`(mode: Int) throws {
        let ground = try Ground()
        try ground.folder.write(
            "safe.toml", "database = \"\(ground.bench.database.conninfo)\"\ndirectory = \"place/inner/m\"\n")
        chmod(ground.folder.path("place"), mode_t(mode))
        for verb in ["apply", "check", "plan"] {
            let outcome = try ground.run(verb, config: "safe.toml")
            #expect(outcome.status == 77 || verb == "check" && outcome.status == 65, "\(verb) \(outcome)")
            #expect(
                (outcome.errors + outcome.output).contains(
                    "could be exchanged by others: directory '\(ground.folder.path("place"))'"), "\(outcome)")
        }
        #expect(try ground.isUntouched)
        chmod(ground.folder.path("place"), mode_t(mode | 0o1000))
        #expect(try ground.run("apply", config: "safe.toml").status == 0)
        #expect(try !ground.isUntouched)
    }

    @Test func `is found behind symbolic links, too`() throws {
        let ground = try Ground()
        let folder = ground.folder
        try folder.makeDirectory("loose", mode: 0o777)
        chmod(folder.path("loose"), 0o777)
        try folder.makeDirectory("tight")
        // The link itself can be exchanged, although what it leads to cannot.
        try folder.link("loose/current", to: folder.path("place/inner"))
        // A chain of relative links, by way of the loose directory.
        try folder.link("tight/there", to: "../loose/../loose/current")
        for path in ["loose/current", "tight/there"] {
            let outcome = try ground.run("check", config: "\(path)/migrated.toml")
            #expect(outcome.status == 77 && outcome.errors.contains(folder.path("loose")), "\(path) \(outcome)")
            try folder.write(
                "safe.toml", "database = \"\(ground.bench.database.conninfo)\"\ndirectory = \"\(path)/m\"\n")
            let applied = try ground.run("apply", config: "safe.toml")
            #expect(applied.status == 77 && applied.errors.contains(folder.path("loose")), "\(path) \(applied)")
        }
        // A migration that is a link within the directory, to where others write deeper than what is listed.
        try folder.makeDirectory("place/inner/m/a")
        try folder.makeDirectory("place/inner/m/a/b")
        try folder.makeDirectory("place/inner/m/a/b/c")
        try folder.write("place/inner/m/a/b/c/two.sql", "CREATE TABLE two ();\n")
        try folder.link("place/inner/m/002_two.sql", to: "a/b/c/two.sql")
        chmod(folder.path("place/inner/m/a/b"), 0o777)
        let outcome = try ground.run("apply", "--layout", "flat")
        #expect(outcome.status == 1 || outcome.status == 77, "\(outcome)")
        #expect(try ground.bench.query("SELECT to_regclass('two') IS NULL") == "t")
        #expect(try ground.bench.events("reason = 'unsafe_permissions'") == ["skipped 002_two unsafe_permissions"])
        #expect(try ground.run("check", "--layout", "flat").output.contains("a/b"))
    }

    @Test func `is refused where it belongs to somebody else, who could swap it`() throws {
        guard geteuid() == 0, let other = getpwnam("nobody")?.pointee.pw_uid else { return }
        let ground = try Ground()
        try ground.folder.write(
            "safe.toml", "database = \"\(ground.bench.database.conninfo)\"\ndirectory = \"place/inner/m\"\n")
        // Everything in it is root's, and yet it is his to rename.
        chown(ground.folder.path("place"), other, 0)
        let words = "directory '\(ground.folder.path("place"))' is owned by user \(other)"
        for outcome in try [ground.run("apply", config: "safe.toml"), ground.run("check"), ground.log()] {
            #expect(outcome.status == 77 && outcome.errors.contains(words), "\(outcome)")
            #expect(outcome.errors.contains("chown root \(ground.folder.path("place"))"), "\(outcome)")
        }
        #expect(try ground.isUntouched)
        // His own file in a sticky directory is his to change.
        chown(ground.folder.path("place"), 0, 0)
        chmod(ground.folder.path("place"), 0o1777)
        chown(ground.folder.path("place/inner"), other, 0)
        #expect(try ground.run("check").status == 77)
    }

    @Test func `is no place for keys, signers, password files and hooks`() throws {
        let ground = try Ground()
        let folder = ground.folder
        try folder.makeDirectory("loose", mode: 0o777)
        chmod(folder.path("loose"), 0o777)
        let made = try Program.run(Program.built("migrated"), ["keygen", "--out", folder.path("loose/key")])
        #expect(made.status == 0, "\(made)")
        try folder.write("loose/signers", "")
        try folder.write("loose/pgpass", "*:*:*:*:x\n", mode: 0o600)
        try folder.write("loose/root.crt", "")
        let head = "directory = \"m\"\ndatabase = \"\(ground.bench.database.conninfo)"
        let cases = [
            "\(head)\"\nsigning-key = \"\(folder.path("loose/key"))\"\n",
            "\(head)\"\nallowed-signers = \"\(folder.path("loose/signers"))\"\nrequire-signature = true\n",
            "\(head) passfile=\(folder.path("loose/pgpass"))\"\n",
            "\(head) sslrootcert=\(folder.path("loose/root.crt"))\"\n",
        ]
        for text in cases {
            try folder.write("place/inner/migrated.toml", text)
            let outcome = try ground.run("apply")
            #expect(
                outcome.status == 77 && outcome.errors.contains("could be exchanged by others"), "\(text) \(outcome)")
        }
        try folder.write("loose/service.conf", "[app]\n")
        let service = try Program.run(
            Program.built("auditctl"), ["status", "--database", "service=app \(ground.bench.database.conninfo)"],
            environment: Program.environment.merging(["PGSERVICEFILE": folder.path("loose/service.conf")]) { $1 })
        #expect(service.status == 77 && service.errors.contains("could be exchanged by others"), "\(service)")
        #expect(try ground.isUntouched)
        let verify = try Program.run(
            Program.built("auditctl"),
            ["verify", "--database", ground.bench.database.conninfo, "--public-key", folder.path("loose/key.pub")])
        #expect(verify.status == 77, "\(verify)")
        // Hooks beside the work are left alone, and that is told.
        try folder.makeDirectory("loose/hooks")
        try folder.write("loose/hooks/hook", "#!/bin/sh\ntouch \(folder.path("hooked"))\n", mode: 0o755)
        try folder.write("place/inner/migrated.toml", "\(head)\"\nhooks = \"\(folder.path("loose/hooks"))\"\n")
        let daemon = try Program(
            Program.built("migrated"),
            [
                "run", "--config", folder.path("place/inner/migrated.toml"), "--state-directory", folder.path("state"),
                "--settle", "0",
            ])
        try eventually("word of it") {
            daemon.errorsSoFar.contains("is not run: directory '\(folder.path("loose"))'")
        }
        try ground.bench.stop(daemon)
        #expect(access(folder.path("hooked"), F_OK) != 0)
    }

    @Test func `is none where an ordinary user keeps it in his own home`() throws {
        guard geteuid() == 0 else { return }
        var options = Cluster.Options()
        options.isOpenToOthers = true
        let database = try Cluster(options).createDatabase()
        let home = try TemporaryDirectory(mode: 0o755)
        try home.makeDirectory("m")
        try home.write("m/001_one.sql", "CREATE TABLE one ();\n")
        try home.write("migrated.toml", "database = \"\(database.conninfo)\"\ndirectory = \"m\"\n")
        let owned = try Program.run("/bin/chown", ["-R", "nobody", home.path])
        #expect(owned.status == 0)
        let outcome = try Program.run(
            Program.built("migrated"),
            ["apply", "--config", home.path("migrated.toml"), "--state-directory", home.path("state")],
            user: "nobody")
        #expect(outcome.status == 0, "\(outcome)")
    }
}
