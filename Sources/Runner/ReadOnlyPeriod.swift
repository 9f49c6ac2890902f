internal import Postgres
internal import Reporting
internal import SQLParsing

/// A time in which the database takes no writes because `default_transaction_read_only` is on, for the database, a role or the whole server: so
/// managed services protect a disk that is nearly full, and so people hold writers back during a move.
///
/// It passes by itself, like a standby: no file fails for it. A file that makes its own transaction read-only is another thing.
struct ReadOnlyPeriod {
    /// Where the setting is made, as a clause; nil where it cannot be told.
    var origin: String?
    /// What ends it, where that can be told.
    var remedy: String?

    /// Asks what sessions begin with: `reset_val` is that, whatever a file has set since (PostgreSQL manual 54.24 "pg_settings").
    static let question = """
        SELECT s.source, s.sourcefile, pg_catalog.format('%I', pg_catalog.current_database()), pg_catalog.format('%I', session_user)
          FROM pg_catalog.pg_settings AS s
         WHERE s.name = 'default_transaction_read_only'
           AND (s.reset_val = 'on' OR pg_catalog.pg_is_in_recovery())
        """

    /// What the answer says; nil where the database takes writes.
    init?(_ answer: QueryResult) {
        guard !answer.rows.isEmpty else { return nil }
        let (database, login) = (answer.text(0, 2) ?? "", answer.text(0, 3) ?? "")
        let setting = "default_transaction_read_only"
        switch answer.text(0, 0) {
        case "database":
            origin = "set for database \(database)"
            remedy = "ALTER DATABASE \(database) RESET \(setting)"
        case "user":
            origin = "set for role \(login)"
            remedy = "ALTER ROLE \(login) RESET \(setting)"
        case "database user":
            origin = "set for role \(login) in database \(database)"
            remedy = "ALTER ROLE \(login) IN DATABASE \(database) RESET \(setting)"
        case "global":
            origin = "set for all roles"
            remedy = "ALTER ROLE ALL RESET \(setting)"
        case "configuration file":
            origin = "set in the server's configuration" + (answer.text(0, 1).map { ", '\($0)'" } ?? "")
            remedy = "ALTER SYSTEM RESET \(setting), then SELECT pg_reload_conf()"
        case "client", "environment variable":
            origin = "set by this connection"
            remedy = "take it out of 'options' in the connection string and of PGOPTIONS"
        default: break
        }
    }

    /// What is reported, in the form of the server's own refusal; the code is that of a standby, too.
    var error: ServerError {
        ServerError(
            sqlstate: "25006",
            message: "the database takes no writes: default_transaction_read_only is on"
                + (origin.map { ", \($0)" } ?? ""),
            hint: """
                Nothing has failed: pending migrations run by themselves once it is off. A managed service sets it while its disk is full, and takes it \
                back when there is space again\(remedy.map { "; by hand: \($0)" } ?? "").
                """)
    }
}

extension Script {
    /// Whether the text says by itself whether a transaction may write: `READ ONLY`, `READ WRITE`, `…read_only`. That is its own matter then.
    var saysReadOnly: Bool {
        let (read, only, write) = (Array("read".utf8), Array("only".utf8), Array("write".utf8))
        let ending = Array("read_only".utf8)
        // Letters and underscores make a word; of a long one its end is enough.
        var (word, before): ([UInt8], [UInt8]) = ([], [])
        for byte in text {
            let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            if (0x61...0x7A).contains(lower) || byte == UInt8(ascii: "_") {
                if word.count == 64 { word.removeFirst(32) }
                word.append(lower)
                continue
            }
            guard !word.isEmpty else { continue }
            if before == read && (word == only || word == write) || word.suffix(9).elementsEqual(ending) { return true }
            swap(&before, &word)
            word.removeAll(keepingCapacity: true)
        }
        return before == read && (word == only || word == write) || word.suffix(9).elementsEqual(ending)
    }
}
