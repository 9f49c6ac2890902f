import Testing

@testable import Runner

/// The shape stays, the values go, in whatever language the server speaks and whatever a value holds.
@Suite struct `Values of rows in the server's words` {
    @Test(
        arguments: [
            ("Key (email)=(bob@example.org) already exists.", "Key (email)=(***) already exists."),
            ("Key (a, b)=(1, 2) is not present in table \"t\".", "Key (a, b)=(***) is not present in table \"t\"."),
            ("Key (lower(email))=(bob) already exists.", "Key (lower(email))=(***) already exists."),
            ("Key (email)=(bob (home)) already exists.", "Key (email)=(***) already exists."),
            ("Key (email)=(bob)=(eve) already exists.", "Key (email)=(***) already exists."),
            ("Key (email)=(bob)) already exists.", "Key (email)=(***) already exists."),
            ("Key (r)=([1,3)) conflicts with existing key (r)=([2,4)).", "Key (r)=(***)."),
            ("Failing row contains (1, bob, (x), null).", "Failing row contains (***)."),
            ("Failing row contains (bob\n(home)\n)).", "Failing row contains (***)."),
            ("Schlüssel »(email)=(bob)« existiert bereits.", "Schlüssel »(email)=(***)« existiert bereits."),
            ("La ligne en échec contient (bob, 1).", "La ligne en échec contient (***)."),
            ("Nothing in brackets.", "Nothing in brackets."),
        ])
    func `are masked in a detail`(detail: String, masked: String) {
        #expect(RowValues.maskDetail(detail, "23505") == masked)
    }

    @Test(
        arguments: [
            ("invalid input syntax for type integer: \"bob\"", "invalid input syntax for type integer: \"***\""),
            ("invalid input syntax for type integer: \"b\"o\"b\"", "invalid input syntax for type integer: \"***\""),
            ("ungültige Eingabesyntax für Typ integer: »bob«", "ungültige Eingabesyntax für Typ integer: »***«"),
            (
                "syntaxe en entrée invalide pour le type integer : « bob »",
                "syntaxe en entrée invalide pour le type integer : «***»"
            ),
            ("division by zero", "division by zero"),
        ])
    func `are masked in a message about a value`(message: String, masked: String) {
        #expect(RowValues.maskMessage(message, "22P02") == masked)
        // Elsewhere quotes stand around names.
        #expect(RowValues.maskMessage(message, "23505") == message)
    }

    @Test(
        arguments: [
            ("COPY people, line 3, column age: \"bob\"", "COPY people, line 3, column age: ***"),
            ("COPY people, line 3: \"bob: 1\"", "COPY people, line 3: ***"),
            ("JSON data, line 1: {\"a\": bob...", "JSON data, line 1: ***"),
            ("PL/pgSQL function f() line 3 at SQL statement", "PL/pgSQL function f() line 3 at SQL statement"),
            (
                "SQL statement \"INSERT INTO t VALUES ('bob')\"\nPL/pgSQL function f() line 3",
                "SQL statement \"***\"\nPL/pgSQL function f() line 3"
            ),
        ])
    func `are masked in a context`(context: String, masked: String) {
        #expect(RowValues.maskContext(context) == masked)
    }

    @Test func `are looked for in errors about data alone`() {
        #expect(["21000", "22P02", "23505", "44000"].allSatisfy(RowValues.mayBeIn))
        #expect(["42601", "2BP01", "40P01", "55P03", "P0001", ""].allSatisfy { !RowValues.mayBeIn($0) })
    }
}
