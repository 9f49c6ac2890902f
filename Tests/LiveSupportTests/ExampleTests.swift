import LiveSupport
import Testing

@Suite struct `The example migrations` {
    static let folder = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/migrations/example"
    static let names = [
        "001_create_users", "002_create_dashboard", "003_create_error_logs", "004_index_error_logs",
    ]

    @Test func `run with psql file by file, there and back`() throws {
        let database = try Cluster.shared().createDatabase()
        for name in Self.names.map({ $0 + ".up.sql" }) + Self.names.reversed().map({ $0 + ".down.sql" }) {
            let outcome = try Program.run(
                Cluster.programs + "/psql",
                ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.conninfo, "-f", Self.folder + "/" + name])
            #expect(outcome.status == 0, "\(name): \(outcome)")
            if name == "004_index_error_logs.up.sql" {
                #expect(try database.query("SELECT count(*) FROM users") == "3")
                #expect(try database.query("SELECT user_id FROM dashboard_widgets") == "usr_operator")
            }
        }
        let left = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        #expect(try database.query(left) == "0")
    }
}
