import Reporting
import Testing

@testable import SQLParsing

@Suite struct `An excerpt` {
    @Test func `shows no secret, and its caret stands below what is meant`() throws {
        let text = Array("SELECT 1;\nALTER ROLE é PASSWORD 'hunter2' VALID UNTIL now;\r\n".utf8)
        var complaint = Complaint(.failed, "m")
        complaint.point(at: Place(file: "x.sql", line: 2, column: 45), of: text)
        #expect(
            complaint.lines == [
                "x.sql:2:45: m", "    ALTER ROLE é PASSWORD '***' VALID UNTIL now;",
                "    " + String(repeating: " ", count: 40) + "^",
            ])
        complaint.point(at: Place(file: "x.sql", line: 2, column: 27), of: text)
        #expect(complaint.lines.last == "    " + String(repeating: " ", count: 22) + "^")
        complaint.point(at: Place(file: "x.sql", line: 9), of: text)
        #expect(complaint.excerpt == "")
    }

    @Test(arguments: [
        "CREATE USER a PASSWORD 'hunter2' 'x';", "CREATE USER a PASSWORD hunter2;",
        "CREATE USER a PASSWORD \"hunter2\";",
        "CREATE USER a PASSWORD 'hunter2", "CREATE USER a PASSWORD $x$hunter2", "CREATE USER a PASSWRD 'hunter2';",
        "CREATE USER a PASSWORD 'hunter2'; ROLLBACK;", "CREATE USER a PASSWORD 'hunter2';\n\\q hunter",
        "VACUUM; BEGIN; CREATE USER a PASSWORD 'hunter2'; VACUUM; COMMIT;",
    ])
    func `of a file that is refused or cannot be read shows none either`(text: String) {
        do throws(Complaint) {
            let script = try Script(Array(text.utf8), file: "x.sql")
            let warning = script.unparsed?.lines.joined(separator: "\n") ?? ""
            #expect(script.unparsed != nil && !warning.contains("hunter2"), "\(warning)")
        } catch {
            #expect(!error.lines.joined(separator: "\n").contains("hunter2"), "\(error)")
        }
    }

    @Test func `of a statement is cut behind its secrets, not in them`() throws {
        let script = try Script(Array("SELECT 1; CREATE USER a PASSWORD 'hunter2' LOGIN; SELECT 2".utf8), file: "x.sql")
        #expect(script.excerpt(of: 1) == "CREATE USER a PASSWORD '***' LOGIN")
    }
}

@Suite struct `Settings of later sessions` {
    @Test func `are found with their owner, and never with their value`() throws {
        let script = try Script(
            Array(
                """
                ALTER ROLE CURRENT_USER SET search_path = 'x'; ALTER USER a IN DATABASE d SET work_mem TO DEFAULT;
                ALTER ROLE ALL RESET ALL; ALTER DATABASE d SET app.token = 'hunter2'; SET work_mem = '1MB';
                ALTER ROLE a LOGIN; ALTER DATABASE d CONNECTION LIMIT 3;
                """.utf8), file: "x.sql")
        #expect(
            script.lastingSettings.map(\.words) == [
                "sets 'search_path' of the file's own login", "resets 'work_mem' of role 'a' in database 'd'",
                "resets every setting of every role", "sets 'app.token' of database 'd'",
            ])
        #expect(script.lastingSettings.map(\.changesMeaning) == [true, false, true, false])
        let system = try Script(Array("ALTER SYSTEM SET row_security = off".utf8), file: "x.sql")
        #expect(system.lastingSettings.map(\.words) == ["sets 'row_security' of the server"])
    }
}
