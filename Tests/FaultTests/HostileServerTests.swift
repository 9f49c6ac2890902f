import Glibc
import LiveSupport
import Testing

/// What answers is PostgreSQL up to one message, and then something else. Neither program is trapped by that: it ends with a status of its own
/// and a sentence.
@Suite struct `A server that does not keep to the protocol` {
    /// What people and units type; each leaves some questions that the others do not ask.
    private static let commands: [[String]] = [
        ["migrated", "apply"], ["migrated", "plan"], ["migrated", "preflight"], ["migrated", "status"],
        ["auditctl", "verify"], ["auditctl", "log"], ["auditctl", "log", "-o", "json", "--limit", "1"],
        ["auditctl", "status"], ["auditctl", "integrity", "--all"], ["auditctl", "orphans", "--rows"],
        ["auditctl", "stats"], ["auditctl", "report"], ["auditctl", "export"], ["auditctl", "show", "1"],
    ]
    private static let documented: Set<Int32> = [0, 1, 2, 64, 65, 69, 74, 75, 77, 78]

    private static func ground() throws -> ProvingGround {
        let ground = try ProvingGround()
        try ground.write([
            "001_one.sql": "CREATE TABLE one (id int PRIMARY KEY);\n",
            "002_two.sql": "CREATE TABLE two (one int REFERENCES one, other text);\n",
        ])
        let applied = try ground.run("apply")
        guard applied.status == 0 else { throw LiveFailure("\(applied)") }
        return ground
    }

    private static func run(_ ground: ProvingGround, _ command: [String], at directory: String) throws
        -> Program.Outcome
    {
        let conninfo = "host=\(directory) user=postgres dbname=\(ground.database.name)"
        if command[0] == "migrated" {
            return try ground.run(command[1], "--database", conninfo, within: .seconds(120))
        }
        return try Program.run(
            Program.built("auditctl"),
            [command[1], "--database", conninfo, "--state-directory", ground.folder.path("state")]
                + command.dropFirst(2), within: .seconds(120))
    }

    private static func expect(
        _ outcome: Program.Outcome, _ what: String, location: SourceLocation = #_sourceLocation
    ) {
        #expect(documented.contains(outcome.status), "\(what): \(outcome)", sourceLocation: location)
        if outcome.status == 69 {
            #expect(outcome.errors.split(separator: "\n").count >= 1, "\(what): \(outcome)", sourceLocation: location)
        }
        #expect(!outcome.errors.contains("\u{1B}"), "\(what): \(outcome)", sourceLocation: location)
    }

    /// How many messages the server sends for a command.
    private static func count(_ ground: ProvingGround, _ command: [String]) throws -> Int {
        let proxy = try Proxy(to: ground.database.cluster)
        _ = try run(ground, command, at: proxy.directory)
        return proxy.messages.count { $0.direction == .toClient }
    }

    /// Forgeries and places that were drawn; a failure names them with the seed. HOSTILE_ROUNDS asks for more of them, HOSTILE_SEED for others.
    @Test(arguments: commands) func `ends neither program by a signal`(command: [String]) throws {
        let ground = try Self.ground()
        let count = try Self.count(ground, command)
        let seed = UInt64(environmentNumber("HOSTILE_SEED") ?? 13)
        let words = command.joined(separator: " ")
        var numbers = Seeded(state: words.utf8.reduce(seed) { $0 &* 31 &+ UInt64($1) })
        for _ in 0..<(environmentNumber("HOSTILE_ROUNDS") ?? 8) {
            guard let forgery = Forgery.all.randomElement(using: &numbers) else { return }
            // Not what comes before the session stands: that is libpq's alone.
            let place = Int.random(in: min(15, count)...max(15, count), using: &numbers)
            let outcome = try Self.forged(ground, command, forgery, at: place)
            Self.expect(outcome, "seed \(seed): \(words), \(forgery) in place of message \(place) of \(count)")
        }
    }

    private static func forged(_ ground: ProvingGround, _ command: [String], _ forgery: Forgery, at place: Int) throws
        -> Program.Outcome
    {
        let fault = Proxy.Fault(kind: .forge, forgery: forgery.make, direction: .toClient, number: place)
        let proxy = try Proxy(to: ground.database.cluster, fault)
        return try withExtendedLifetime(proxy) { try run(ground, command, at: proxy.directory) }
    }

    /// The answers that trapped both programs, to the first questions.
    @Test(arguments: [["auditctl", "verify"], ["auditctl", "log"], ["migrated", "plan"]])
    func `is told in one sentence`(command: [String]) throws {
        let ground = try Self.ground()
        var told = 0
        for forgery in Forgery.all where ["an empty query and the end", "no column, in a row"].contains("\(forgery)") {
            for place in stride(from: 15, through: 45, by: 2) {
                let outcome = try Self.forged(ground, command, forgery, at: place)
                Self.expect(outcome, "\(forgery) in place of message \(place)")
                guard outcome.errors.contains("does not answer as PostgreSQL does") else { continue }
                told += 1
                #expect(
                    [2, 69].contains(outcome.status) && outcome.errors.contains("HINT: Check 'host' and 'port'"),
                    "\(outcome)")
            }
        }
        #expect(told > 0)
    }

    /// What says nothing of PostgreSQL at all.
    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "E", "R\0\0\0\u{8}\0\0\0\0",
        "\0\0\0\0\0\0\0\0\0",
    ])
    func `is no PostgreSQL at all`(words: String) throws {
        let listener = try Listener { session in
            _ = session.read()
            session.write(Array(words.utf8))
        }
        let conninfo = "host=\(listener.address) port=\(listener.port) sslmode=disable user=x dbname=y"
        let outcome = try Program.run(Program.built("auditctl"), ["status", "--database", conninfo])
        #expect(outcome.status == 69, "\(outcome)")
    }
}
