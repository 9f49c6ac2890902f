import LiveSupport
import Testing

/// Whoever may create objects in a schema of the search path can try to stand in for what our own statements call (CVE-2018-1058).
@Suite struct `Objects that shadow those of the server` {
    /// Operators and functions that fit our statements better than the server's own would, each of them raising an error.
    static let shadows = """
        CREATE SCHEMA evil;
        CREATE FUNCTION evil.caught() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a shadow was called'; END $$;
        CREATE FUNCTION evil.sha256(bytea) RETURNS bytea LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught(); END $$;
        CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught(); END $$;
        CREATE FUNCTION evil.encode(bytea, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught(); END $$;
        CREATE FUNCTION evil.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught(); END $$;
        CREATE FUNCTION evil.raise(numeric, integer) RETURNS numeric LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught(); END $$;
        CREATE FUNCTION evil.raise(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught(); END $$;
        CREATE FUNCTION evil.raise(text, integer) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught(); END $$;
        CREATE FUNCTION evil.raise(text, bigint) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught(); END $$;
        CREATE FUNCTION evil.same(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught(); END $$;
        CREATE FUNCTION evil.same(oid, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught(); END $$;
        CREATE FUNCTION evil.same(oid, integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught(); END $$;
        CREATE FUNCTION evil.same(smallint, integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught(); END $$;
        CREATE FUNCTION evil.same(name, name) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught(); END $$;
        CREATE FUNCTION evil.same(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught(); END $$;
        CREATE FUNCTION evil.less(timestamptz, timestamptz) RETURNS interval LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.caught(); END $$;
        CREATE OPERATOR evil.* (LEFTARG = numeric, RIGHTARG = integer, FUNCTION = evil.raise);
        CREATE OPERATOR evil.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.raise);
        CREATE OPERATOR evil.|| (LEFTARG = text, RIGHTARG = integer, FUNCTION = evil.raise);
        CREATE OPERATOR evil.|| (LEFTARG = text, RIGHTARG = bigint, FUNCTION = evil.raise);
        CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.same);
        CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = bigint, FUNCTION = evil.same);
        CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = integer, FUNCTION = evil.same);
        CREATE OPERATOR evil.= (LEFTARG = smallint, RIGHTARG = integer, FUNCTION = evil.same);
        CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = name, FUNCTION = evil.same);
        CREATE OPERATOR evil.> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.same);
        CREATE OPERATOR evil.- (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = evil.less);
        """

    /// `public`: anybody may put them where everybody looks behind pg_catalog. `evil, pg_catalog`: the database's owner has put them first.
    @Test(arguments: ["\"$user\", evil", "evil, pg_catalog"])
    func `are never called by us`(path: String) throws {
        let ground = try ProvingGround()
        try ground.query(Self.shadows)
        try ground.query("ALTER DATABASE \(ground.database.name) SET search_path = \(path)")
        try ground.write([
            "001_one.up.sql": "CREATE TABLE evil.counter (file pg_catalog.text);\n",
            "001_one.down.sql": "DROP TABLE evil.counter;\n",
            "002_mixed.up.sql":
                "CREATE TABLE evil.t (n pg_catalog.int4);\nCREATE INDEX CONCURRENTLY t_n ON evil.t (n);\nINSERT INTO evil.t VALUES (1);\n",
            "002_mixed.down.sql": "DROP TABLE evil.t;\n",
        ])
        // An attempt that is left open, for the one that takes over to close.
        _ = try ground.run("apply", environment: ["MIGRATED_FAILPOINT": "statements-done:1"])
        for words in [
            ["apply"], ["plan"], ["rollback", "--last", "1"], ["retry"], ["apply"], ["wait", "--timeout", "1s"],
        ] {
            let outcome = try Program.run(
                Program.built("migrated"), ground.arguments(words[0], Array(words.dropFirst())))
            #expect(outcome.status == 0, "\(words) \(outcome)")
        }
        let daemon = try ground.start("run")
        try ground.write("003_three.up.sql", "CREATE TABLE evil.three ();\n")
        try eventually("three") {
            try ground.query("SET search_path = pg_catalog; SELECT to_regclass('evil.three') IS NOT NULL") == "t"
        }
        try ground.stop(daemon)
        #expect(!daemon.errorsSoFar.contains("shadow"), "\(daemon.errorsSoFar)")
        for words in [["log"], ["verify"], ["status"], ["show", "002"]] {
            let outcome = try Program.run(
                Program.built("auditctl"), words + ["--database", ground.database.conninfo])
            #expect(outcome.status == 0, "\(words) \(outcome)")
        }
    }
}
