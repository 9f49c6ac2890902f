extension Rule {
    /// Why a rule looks for what it finds, and what to do instead.
    public struct Explanation: Sendable {
        /// A file of an example: its path and its text.
        public typealias File = (path: String, text: String)

        /// What happens to whoever does not heed it.
        public var why: String
        /// What to do.
        public var wayOut: String
        /// Files of which the last one is found; none where the text of files does not show it.
        public var example: [File] = []
        /// The same done so that it is not found.
        public var better: [File] = []
    }

    /// The whole entry of a rule, as its page of the manual has it.
    public var explanation: Explanation {
        switch self {
        case .invalidFile, .duplicateVersion, .unparsed, .notRun, .ambiguousOrder, .unsafePermissions,
            .editedAfterApply,
            .badAllowance, .alikeNames:
            aboutFiles
        case .createdTwice, .usedBeforeCreated, .notRepeatable, .concurrentlyInTransaction, .newEnumValue, .ownTimeout,
            .lastingSetting, .nothingToDo, .transactionControl:
            aboutRunning
        case .tableRewrite, .tableScan, .blockingIndex, .foreignKeyScan, .requiredColumn: aboutLocks
        case .dropTable, .dropColumn, .truncate, .deleteEverything, .updateEverything: aboutData
        case .secretInFile: aboutSecrets
        }
    }

    private var aboutSecrets: Explanation {
        Explanation(
            why:
                "The text of every file that runs is kept in the history for good, in 'migration_source', and lies in version control before. Where statements are shown, secrets are hidden; there they are not. A SCRAM verifier or an md5 hash, from which a password can be guessed, is a note.",
            wayOut:
                "Create the role, server or subscription without it, and set it by hand ('\\password' of psql) or from where secrets are kept; or use a password file, a service file or a certificate. A secret that has been in a file must be changed. Rows are data: what an INSERT or UPDATE puts into a column called 'password' is not reported.",
            example: [("001_role.sql", "CREATE ROLE app LOGIN PASSWORD 'open sesame';")],
            better: [("001_role.sql", "CREATE ROLE app LOGIN PASSWORD NULL;")])
    }

    private var aboutFiles: Explanation {
        switch self {
        case .duplicateVersion:
            Explanation(
                why: "Which of the two runs first, or at all, nobody could say: the whole directory is refused.",
                wayOut: "Give one of them a number of its own.",
                example: [
                    ("001_users.sql", "CREATE TABLE users (id int);"),
                    ("1_orders.sql", "CREATE TABLE orders (id int);"),
                ],
                better: [
                    ("001_users.sql", "CREATE TABLE users (id int);"),
                    ("002_orders.sql", "CREATE TABLE orders (id int);"),
                ])
        case .unparsed:
            Explanation(
                why:
                    "The grammar is PostgreSQL 15's own. What it cannot read is a slip far more often than syntax of a newer server; such a file still runs, whole, in one transaction, and nothing else is found in it.",
                wayOut: "Mend it; where the server is newer and reads it, allow it.",
                example: [("001_users.sql", "CREATE TABEL users (id int);")],
                better: [("001_users.sql", "CREATE TABLE users (id int);")])
        case .notRun:
            Explanation(
                why: "Somebody put the file there for it to run, and the layout's names leave it out.",
                wayOut: "Name it as the layout wants it, or move it out of the directory.",
                example: [
                    ("001_users.sql", "CREATE TABLE users (id int);"), ("orders.sql", "CREATE TABLE orders (id int);"),
                ],
                better: [
                    ("001_users.sql", "CREATE TABLE users (id int);"),
                    ("002_orders.sql", "CREATE TABLE orders (id int);"),
                ])
        case .ambiguousOrder:
            Explanation(
                why:
                    "Prisma's and Drizzle's current versions sort names as people do, older ones by their bytes: on one machine the files run in another order than on the other.",
                wayOut: "Pin the order with 'order = \"current\"' or 'order = \"bytes\"', or rename one of the two.",
                example: [
                    ("20250513022650_models/migration.sql", "CREATE TABLE models (id int);"),
                    ("20250513_batches/migration.sql", "CREATE TABLE batches (id int);"),
                ],
                better: [
                    ("20250513022650_models/migration.sql", "CREATE TABLE models (id int);"),
                    ("20250513030000_batches/migration.sql", "CREATE TABLE batches (id int);"),
                ])
        case .unsafePermissions:
            Explanation(
                why:
                    "Whoever can write the file can run anything in the database, as the role that the daemon connects with.",
                wayOut: "Let root or the service's user own it, and take the others' right to write: 'chmod go-w'.")
        case .editedAfterApply:
            Explanation(
                why:
                    "A database that has run the old text will never run the new one; a new database runs only the new one, and the two differ from then on. Looked for with --database alone.",
                wayOut:
                    "Put the old text back, which 'auditctl source CHECKSUM' prints, and write the change as a migration of its own."
            )
        case .badAllowance:
            Explanation(
                why:
                    "An allow line that names no rule, gives no reason or silences nothing misleads whoever reads it later.",
                wayOut:
                    "Write '-- migrated: allow=CODE reason=…' before the statement, or at the head for the whole file; take it out where nothing needs it.",
                example: [("001_old.sql", "-- migrated: allow=M040\nDROP TABLE old;")],
                better: [("001_old.sql", "-- migrated: allow=M040 reason=unused since release 7\nDROP TABLE old;")])
        case .alikeNames:
            Explanation(
                why:
                    "A file system that does not tell them apart, as on macOS and Windows, keeps one of them. Two Unicode forms of one name (a letter with its accent as one character or as two) cannot even be told apart by eye: the directory is refused.",
                wayOut: "Rename one of them.",
                example: [
                    ("1_Users/migration.sql", "CREATE TABLE users (id int);"),
                    ("1_users/migration.sql", "CREATE TABLE members (id int);"),
                ],
                better: [
                    ("1_members/migration.sql", "CREATE TABLE members (id int);"),
                    ("1_users/migration.sql", "CREATE TABLE users (id int);"),
                ])
        default:
            Explanation(
                why:
                    "It is refused before anything runs: bytes that are no text, a directive that is not known, a command of psql, a ROLLBACK, a file that seems to hold what undoes the migration as well, or what the layout's own tool refuses.",
                wayOut: "Mend what the sentence names; the line waits meanwhile.",
                example: [("001_users.sql", "\\i users.sql")],
                better: [("001_users.sql", "CREATE TABLE users (id int);")])
        }
    }

    private var aboutRunning: Explanation {
        switch self {
        case .usedBeforeCreated:
            Explanation(
                why:
                    "On a new database the earlier file fails. Where files are sorted by name, an added prefix or another form of the date is often enough.",
                wayOut: "Rename one of the files so that the order works; the finding names it.",
                example: [
                    ("001_orders.sql", "CREATE TABLE orders (customer int REFERENCES customers (id));"),
                    ("002_customers.sql", "CREATE TABLE customers (id int PRIMARY KEY);"),
                ],
                better: [
                    ("001_customers.sql", "CREATE TABLE customers (id int PRIMARY KEY);"),
                    ("002_orders.sql", "CREATE TABLE orders (customer int REFERENCES customers (id));"),
                ])
        case .notRepeatable:
            Explanation(
                why: "A repeatable file runs again whenever its text changes, on a database where it ran before.",
                wayOut: "Write OR REPLACE, IF NOT EXISTS, IF EXISTS or ON CONFLICT; or drop it first.",
                example: [("001_totals.sql", "-- migrated: repeatable\nCREATE VIEW totals AS SELECT 1 AS n;")],
                better: [("001_totals.sql", "-- migrated: repeatable\nCREATE OR REPLACE VIEW totals AS SELECT 1 AS n;")]
            )
        case .concurrentlyInTransaction:
            Explanation(
                why:
                    "PostgreSQL refuses it: it commits on the way. Outside of a block of the file's own it runs alone, and is recorded alone.",
                wayOut: "Take it out of BEGIN … COMMIT.",
                example: [("001_index.sql", "BEGIN;\nCREATE INDEX CONCURRENTLY i ON orders (customer);\nCOMMIT;")],
                better: [("001_index.sql", "CREATE INDEX CONCURRENTLY i ON orders (customer);")])
        case .newEnumValue:
            Explanation(
                why:
                    "PostgreSQL refuses a new value until the transaction that adds it has ended, unless that made the type, too.",
                wayOut: "Put ALTER TYPE … ADD VALUE into a file of its own, or COMMIT before the value is used.",
                example: [
                    (
                        "001_state.sql",
                        "BEGIN;\nALTER TYPE state ADD VALUE 'sent';\nUPDATE orders SET state = 'sent' WHERE id = 1;\nCOMMIT;"
                    )
                ],
                better: [
                    ("001_state.sql", "ALTER TYPE state ADD VALUE 'sent';"),
                    ("002_sent.sql", "UPDATE orders SET state = 'sent' WHERE id = 1;"),
                ])
        case .nothingToDo:
            Explanation(
                why:
                    "It is recorded as applied, or as rolled back, and nothing else happens. A down file without a statement says that there is nothing to undo.",
                wayOut: "Write the statements, or allow it with the reason.",
                example: [("001_users.sql", "-- CREATE TABLE users (id int);\n")],
                better: [("001_users.sql", "CREATE TABLE users (id int);")])
        case .transactionControl:
            Explanation(
                why:
                    "A COMMIT without BEGIN ends the transaction that the file runs in: what stands before it stays where a later statement fails, and each part is recorded by itself. A BEGIN without COMMIT is committed at the end of the file, a BEGIN inside of a block is ignored.",
                wayOut: "Remove it, or write BEGIN and COMMIT round what belongs together.",
                example: [("001_users.sql", "CREATE TABLE users (id int);\nCOMMIT;\nCREATE TABLE orders (id int);")],
                better: [("001_users.sql", "CREATE TABLE users (id int);\nCREATE TABLE orders (id int);")])
        case .ownTimeout:
            Explanation(
                why:
                    "The daemon's limits keep a migration from blocking the application for longer than configured; SET takes them away unseen.",
                wayOut: "Write the limit as a directive at the head of the file, where it is recorded.",
                example: [
                    ("001_fill.sql", "SET statement_timeout = 0;\nUPDATE orders SET state = 'new' WHERE state IS NULL;")
                ],
                better: [
                    (
                        "001_fill.sql",
                        "-- migrated: statement-timeout=30min\nUPDATE orders SET state = 'new' WHERE state IS NULL;"
                    )
                ])
        case .lastingSetting:
            Explanation(
                why:
                    "Later migrations, the application and the daemon itself begin their sessions with it: 'search_path', 'row_security', 'session_replication_role' or 'default_transaction_read_only' change what their statements do, and are a warning. The event of the file says what it set.",
                wayOut:
                    "Write SET LOCAL where the file itself needs it; else allow it with the reason, and look at the migrations behind it.",
                example: [("001_path.sql", "ALTER ROLE app SET search_path = app, public;")],
                better: [("001_path.sql", "SET LOCAL search_path = app, public;")])
        default:
            Explanation(
                why: "The second one fails; or, with IF NOT EXISTS, does nothing, whatever it says.",
                wayOut: "Remove one of the two, or drop the first before the second is created.",
                example: [
                    ("001_a.sql", "CREATE TABLE users (id int);"), ("002_b.sql", "CREATE TABLE users (id int);"),
                ],
                better: [
                    ("001_a.sql", "CREATE TABLE users (id int);"),
                    ("002_b.sql", "ALTER TABLE users ADD COLUMN name text;"),
                ])
        }
    }
}
