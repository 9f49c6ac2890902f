import SQLLexing
import Testing

@testable import SQLParsing

@Suite struct `The plain scanner` {
    private func lexemes(_ text: String) -> [String] {
        var lexer = Lexer(Array(text.utf8))
        var found: [String] = []
        while let lexeme = lexer.next() {
            found.append(String(decoding: Array(text.utf8)[lexeme.range], as: UTF8.self))
        }
        return found
    }

    @Test(arguments: [
        ("a'b''c;'d", ["a", "'b''c;'", "d"]), ("'a\\';", ["'a\\'", ";"]), ("E'a\\';''' ;", ["E'a\\';'''", ";"]),
        ("fe'a\\' ;", ["fe", "'a\\'", ";"]), ("\"a\"\";\";", ["\"a\"\";\"", ";"]),
        ("$$a;$b$;$$;", ["$$a;$b$;$$", ";"]),
        ("$é$;$$;$é$x", ["$é$;$$;$é$", "x"]), ("a$b$c ;", ["a$b$c", ";"]), ("$1;$12", ["$1", ";", "$12"]),
        ("1--x\n+/* /* ; */ ; */2", ["1", "+", "2"]), ("U&\"a\\\" ;", ["U", "&", "\"a\\\"", ";"]), ("--a", []),
        ("/* a", ["/* a"]),
        ("'a", ["'a"]), ("E'a\\", ["E'a\\"]), ("$a$ $A$", ["$a$ $A$"]), ("$", ["$"]), ("-", ["-"]), ("/", ["/"]),
        ("1.5e3x", ["1.5e3x"]),
    ])
    func `quotes, comments and names end where PostgreSQL ends them`(text: String, expected: [String]) {
        #expect(lexemes(text) == expected)
    }

    @Test(arguments: [
        ("prepare p as select 1; prepare transaction 'x'", "PREPARE TRANSACTION"), ("select 1; END", "END"),
        (";;start transaction", "START"),
        ("create table t (a text default 'x'); release s", "RELEASE"), ("ALTER SYSTEM SET a = 1", "ALTER SYSTEM"),
        ("alter database d set tablespace x", "ALTER DATABASE"), ("discard all", "DISCARD ALL"),
        ("drop tablespace x", "DROP TABLESPACE"),
        ("alter table t detach partition p concurrently", "ALTER … CONCURRENTLY"),
        ("reindex (verbose) schema s", "REINDEX VERBOSE"),
        ("create rule r as on delete to t do also (select 1; commit)", "COMMIT"),
        ("select (1; commit; select 2)", "COMMIT"),
        ("create function f() begin atomic; select x.case, 1 as case; end; commit", "COMMIT"),
        ("create function f() begin atomic; select case when a then 1 end; end; commit", "COMMIT"),
        ("create table begin atomic; commit", "COMMIT"), ("copy t to stdout", "COPY"),
    ])
    func `what must not run inside one transaction is found`(text: String, expected: String) {
        #expect(PlainScan(Array(text.utf8)).obstacles.first?.text == expected)
    }

    @Test(arguments: [
        "alter database d set a = 1", "refresh materialized view concurrently v", "select 'commit;'; select \"commit\"",
        "create or replace procedure f() begin atomic; select 1; select 2; end; select 3", "do $$ begin commit; end $$",
        "create table t (commit int); insert into t select 1 as commit", "copy t from 'stdin'", "prepare p as select 1",
        "create function f() begin atomic; select 1 + case when a then 1 end; select 2; end; select 3",
        "select 1 -- ; commit\n; /* ; commit; */ select 2",
    ])
    func `what may run is let through`(text: String) {
        #expect(PlainScan(Array(text.utf8)).obstacles == [])
    }

    @Test func `the weight of a text bounds the depth of its expressions`() {
        #expect(Weight(Array("select 1+1+1, 2+2, (3+3+3)+4".utf8)).depth == 6)
        #expect(Weight(Array("select 1;select 1+1+1+1+1".utf8)).depth == 10)
        #expect(Weight(Array("values (1,2),(3,4)".utf8)).output > 44 * 4 + 2 * 40)
    }
}
