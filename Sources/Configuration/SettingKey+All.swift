import ForeignKeys
import Migrations
import Reporting

/// PostgreSQL keeps its timeouts as a 32-bit number of milliseconds, which is a little more than this.
private let serverLimit = TimeSpan.seconds(24 * 86_400)
private let millisecond = TimeSpan.milliseconds(1)
private let day = TimeSpan.seconds(86_400)

extension SettingKey {
    /// Every key there is, in the order of the reference page.
    static let all: [SettingKey] = connection + files + order + foreignKeys + limits + retries + evidence + monitoring

    private static let connection = [
        SettingKey(
            "database", \.database, .string("a string that libpq accepts as a connection string"), in: .connection,
            aliases: ["database.conninfo"], secret: true,
            """
            The database, as a libpq connection string: keywords (host=/run/postgresql dbname=app) or a URI \
            (postgresql:///app). What it leaves out comes from the PG* variables, a service file and libpq's defaults. Write no \
            password here: use peer authentication, a passfile, or a systemd credential (passfile=/run/credentials/…); one in a file that others \
            may read is refused. Over TCP sslmode=verify-full is the default: docs/connections.md.
            """),
        SettingKey(
            "audit.database", \.auditDatabase,
            .optionalString("a string that libpq accepts as a connection string, and that is not empty"),
            in: .connection, secret: true,
            defaultNote: "none; one login runs the files and keeps the history",
            sample: "user=app_audit dbname=app",
            """
            A second login to the same database, which keeps the history. Then the login that runs the files can append no event by itself: \
            docs/roles.md says what one login weakens. A --database on the command line sets this one aside; --audit-database goes with it.
            """),
        SettingKey(
            "schema", \.schema,
            .string("a schema name of 1 to 63 bytes without '$' and control characters that does not begin with 'pg_'")
            {
                // The history's own files hold the name within dollar quotes and comments, which these would end.
                (1...63).contains($0.utf8.count) && !$0.utf8.starts(with: "pg_".utf8)
                    && !$0.utf8.contains { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "$") }
            }, in: .connection,
            """
            The schema that holds the history. It is created where it is missing; a change after the first run starts a new and empty \
            history.
            """),
        SettingKey(
            "state-directory", \.stateDirectory, .path, in: .connection, isPath: true,
            defaultNote: "$STATE_DIRECTORY (systemd sets it), else $XDG_STATE_HOME/migrated",
            sample: "/var/lib/migrated",
            """
            Where the anchor of the history's chain is kept, outside the database. Both programs must look in the same place. A relative \
            path is taken from the folder of this file.
            """),
    ]

    private static let files = [
        SettingKey(
            "directory", \.directory, .path, in: .files, isPath: true,
            defaultNote: "none; a program that reads migrations needs it here or as --directory",
            sample: "/srv/app/migrations",
            "The migrations. A relative path is taken from the folder of this file. It may be a symbolic link that is swapped."
        ),
        SettingKey(
            "layout", \.layout, .choiceOrAuto(), in: .files,
            "How the directory is laid out; 'auto' finds out by looking. See docs/layouts.md."),
        SettingKey(
            "settle", \.settle, .time(millisecond...TimeSpan.seconds(3600), zero: "to act at once"), in: .files,
            """
            How long the directory must be quiet before a run starts, so that a copy that brings 0003 before 0002 is seen whole. 0 acts at \
            once: for directories that are only ever swapped or renamed into.
            """),
        SettingKey(
            "rescan", \.rescan, .time(TimeSpan.seconds(1)...day), in: .files,
            """
            How often the directory is read without a hint from the kernel. Hints get lost, and a network file system sends none.
            """),
        SettingKey(
            "size-limit", \.sizeLimit, .size(1...(256 << 20)), in: .files,
            """
            The largest file that is read; a larger one is refused. PostgreSQL takes no value of 1 GB, which is why the limit has a limit.
            """),
        SettingKey(
            "check-permissions", \.checkPermissions, .boolean, in: .files,
            """
            Refuse a directory or a file that others than root or the daemon's user own or may write, and one below a directory that they could \
            exchange: whoever can write there can run any SQL as the migrating role.
            """),
    ]

    private static let order = [
        SettingKey(
            "order", \.order, .choiceOrAuto(), in: .order,
            """
            The order of directory names where a layout's own tool has had two: 'current' as the tool sorts today, 'bytes' as its old engine \
            did, by the bytes of the name. 'auto' is the current one, with a recorded warning where the two differ.
            """),
        SettingKey(
            "version-by", \.versionBy, .choice(), in: .order,
            """
            What a file of the layouts flat and golang-migrate is known by: its number, which no two files share, or its whole name, so that \
            files may share a number and run in the order of number and name.
            """),
        SettingKey(
            "late", \.late, .choiceOrAuto(), in: .order,
            """
            A pending file that sorts before an applied one: 'stop' holds up the line, 'apply' runs it and records that it came late. 'auto' \
            does as the layout's own tool: apply for prisma, dbmate, diesel, sqlx, sql-migrate, hasura and liquibase, stop for the others.
            """),
        SettingKey(
            "on-drift", \.onDrift, .choice(), in: .order,
            """
            An applied file that was edited, renamed or deleted is never run again. 'report' records that and goes on with later files; 'stop' \
            blocks them until the file is restored, resolved or retired. See docs/files.md.
            """),
        SettingKey(
            "catalog-drift", \.catalogDrift, .choice(), in: .order,
            """
            Tables, columns, constraints, indexes, views, functions, triggers, policies, types and rights that somebody changed without a \
            migration: 'report' records each once, with what was and what is, before the next file runs and once a day; 'off' does not look, \
            for databases whose application creates objects itself. Nothing waits for such a change: 'on-drift' is about files. See \
            docs/evidence.md.
            """),
        SettingKey(
            "catalog-ignore", \.catalogIgnore,
            .strings(
                "an array of patterns such as [\"public.events_p*\"], each of 1 to 200 bytes and with more in it than '*' and '.'"
            ) {
                (1...200).contains($0.utf8.count) && !$0.utf8.contains { $0 < 0x20 || $0 == 0x7F }
                    && $0.utf8.contains { $0 != UInt8(ascii: "*") && $0 != UInt8(ascii: ".") }
            }, in: .order,
            """
            Objects that come and go by themselves and are left out of 'catalog-drift': partitions that pg_partman or a cron job makes, tables of \
            a queue. Each pattern is the name of an object with its schema, as SCHEMA.NAME, where '*' stands for any characters; what belongs to \
            the object (its constraints, indexes and triggers) is left out with it, and a schema's name alone leaves out the schema and all \
            that is in it. The patterns are recorded with each reading of the catalog, and a change of them is recorded as an event.
            """),
        SettingKey(
            "row-values", \.rowValues, .choice(), in: .order,
            """
            Values of rows in what the server says of bad data ('Key (email)=(…) already exists') and in the keys of orphans: 'mask' keeps their \
            shape in events, journal and output, and the whole text beside the chain in the table row_value, which auditors do not read and \
            which can be erased; 'keep' leaves them in the events, for good. See docs/evidence.md.
            """),
        SettingKey(
            "existing", \.existing, .choice(), in: .order,
            """
            A statement that creates something that exists: 'fail' lets PostgreSQL refuse it; 'skip-identical' passes over it where the object \
            is what the statement says, records that, and fails with both sides where it is not; 'skip' passes over whatever has the name, with \
            a warning. See docs/replay.md. A file can set its own.
            """),
    ]

    private static let foreignKeys = [
        SettingKey(
            "orphans", \.foreignKeys.orphans, .choice(), in: .foreignKeys,
            """
            Rows whose referenced row is missing, when a migration adds a foreign key: 'fail' lets PostgreSQL refuse the key; 'clean' keeps \
            them in quarantine, then deletes them (a required column) or sets the reference to null (a nullable one); 'report' counts them and \
            leaves the key not validated. A file can set its own.
            """),
        SettingKey(
            "orphan-limit", \.foreignKeys.limit, .orphanLimit, in: .foreignKeys,
            """
            The most rows that a cleanup may touch for one key, those of other tables that go or change along included: as a number, or as a \
            share of each table. A larger one fails and says how to allow it. A file can set its own.
            """),
        SettingKey(
            "prove-restore", \.foreignKeys.proof, .choice(), in: .foreignKeys,
            """
            Whether the way back is proved before a cleanup is committed: 'always' puts all rows back in a savepoint, compares them with what they \
            were, and takes that back; the event says 'reversible'. 'never' saves that time. A file can set its own.
            """),
        SettingKey(
            "missing-table", \.foreignKeys.missingTable, .choice(), in: .foreignKeys,
            """
            A foreign key whose table is not there yet: 'fail' lets PostgreSQL refuse it; 'skip' records it as deferred, and the daemon adds it \
            after the migration that creates the table. A file can set its own.
            """),
        SettingKey(
            "index-foreign-keys", \.foreignKeys.indexes, .yesOrNo, in: .foreignKeys,
            "Whether an index is created on the referencing columns of an added foreign key where none covers them. A file can set its own."
        ),
        SettingKey(
            "foreign-keys", \.foreignKeys.way, .choice(), in: .foreignKeys,
            """
            How ALTER TABLE … ADD FOREIGN KEY is done: 'one-transaction' does all of it with the file or nothing of it, and writers of both \
            tables wait until its end; 'stepwise' adds the key NOT VALID, cleans in small transactions, builds the index CONCURRENTLY and \
            validates, each step committed and recorded by itself: writers hardly wait, and a failure is taken up where it stopped. A file can \
            set its own.
            """),
        SettingKey(
            "preflight", \.preflight, .choice(), in: .foreignKeys,
            """
            What the start of an attempt records of what its file meets: 'catalog' the locks of a file that makes others wait, with the sizes of \
            the tables, invalid indexes and old sessions in the way; 'full' that of every file, and the orphans of each foreign key, which reads \
            the tables once more; 'no' nothing. 'migrated preflight' tells all of it beforehand in any case.
            """),
    ]

    private static let limits = [
        SettingKey(
            "statement-timeout", \.statementTimeout, .time(millisecond...serverLimit, zero: "for none"), in: .limits,
            "PostgreSQL's statement_timeout for each statement of a migration. A file can set its own. 0 is none."),
        SettingKey(
            "concurrent-timeout", \.concurrentTimeout, .time(millisecond...serverLimit, zero: "for none"), in: .limits,
            """
            The longest that one CONCURRENTLY statement may take, such as CREATE INDEX CONCURRENTLY, instead of 'statement-timeout': it keeps nobody \
            waiting, and on a large table it takes hours. 'lock-timeout' is not about the builds of indexes either, because they wait for old \
            transactions. A file can set its own. 0 is none, so that only the file's 'deadline' ends it.
            """),
        SettingKey(
            "lock-timeout", \.lockTimeout, .time(millisecond...serverLimit, zero: "for none"), in: .limits,
            """
            PostgreSQL's lock_timeout: how long a statement waits for a table lock, and so how long the queries of applications queue up \
            behind it. A file can set its own. 0 is none.
            """),
        SettingKey(
            "idle-in-transaction-timeout", \.idleTimeout, .time(millisecond...serverLimit, zero: "for none"),
            in: .limits,
            """
            PostgreSQL's idle_in_transaction_session_timeout: the server ends our transaction by itself when we fall silent inside it, \
            because the host froze or the network broke. 0 is none. Behind a file's last statement, where its end is about to be recorded, it is \
            15 s at most.
            """),
        SettingKey(
            "deadline", \.deadline, .time(millisecond...TimeSpan.seconds(30 * 86_400), zero: "for none"), in: .limits,
            "The longest that one file may take in all; then it is cancelled and rolled back. A file can set its own. 0 is none."
        ),
    ]

    private static let retries = [
        SettingKey(
            "retry-tries", \.retryTries, .integer(1...1000), in: .retries,
            """
            How often a file is tried in all, the first time included, when what stopped it may pass by itself: a lock timeout, a deadlock, \
            a serialization failure, a lost connection. Other errors wait for a mended file. 1 never tries again.
            """),
        SettingKey(
            "retry-wait", \.retryWait, .time(millisecond...day), in: .retries,
            "The pause before the second try. It doubles from try to try, with some jitter."),
        SettingKey(
            "retry-wait-max", \.retryMaximum, .time(millisecond...day), in: .retries,
            "The longest pause between two tries; not shorter than retry-wait."),
        SettingKey(
            "retry-for", \.retryFor, .time(millisecond...TimeSpan.seconds(30 * 86_400), zero: "for no limit"),
            in: .retries,
            "No further try starts later than this after the first one did. 0 is no limit."),
    ]
    private static let evidence = [
        SettingKey(
            "signing-key", \.signingKey, .path, in: .evidence, isPath: true,
            defaultNote: "the systemd credential migrated-signing-key where there is one; else nothing is signed",
            sample: "/etc/migrated/signing-key",
            """
            The private key (Ed25519) that signs each anchor of the history's chain, made by 'migrated keygen'. Whoever can rewrite the database \
            and not read this file cannot make a history that verifies.
            """),
        SettingKey(
            "public-key", \.publicKey, .path, in: .evidence, isPath: true,
            defaultNote: "none; signatures are then not looked at", sample: "/etc/migrated/signing-key.pub",
            """
            The public key that 'auditctl verify' checks the anchors' signatures with. Keep a copy of it where neither the database's nor the \
            machine's administrators can change it, with the reports.
            """),
        SettingKey(
            "require-signature", \.requireSignature, .signaturePolicy, in: .evidence,
            """
            Run only files that one of the allowed signers has signed with ssh-keygen. "manifest" demands MANIFEST and MANIFEST.sig in the \
            directory: 'migrated manifest' writes it, and it names every file with its direction, checksum and place in the order, and the \
            database; a directory that differs, a manifest of another database and one that is older than the last one accepted are refused. \
            true takes SHA256SUMS and SHA256SUMS.sig, or NAME.sql.sig beside a file: that binds bytes, and NAME.sql.sig not even the name, so that \
            a signed file runs under any name and against any database. What is not signed, or is not what was signed, is skipped as \
            'unsigned' or 'manifest_refused' and blocks later migrations.
            """),
        SettingKey(
            "allowed-signers", \.allowedSigners, .path, in: .evidence, isPath: true,
            defaultNote: "none; require-signature needs it", sample: "/etc/migrated/allowed_signers",
            """
            Who may sign migrations, as ssh-keygen(1) reads it under ALLOWED SIGNERS: one line 'name key' for each. With \
            'name namespaces="migrated-manifest" key' a key is good for manifests alone.
            """),
    ]

    private static let monitoring = [
        SettingKey(
            "metrics-file", \.metricsFile, .path, in: .monitoring, isPath: true,
            defaultNote: "none; no metrics are written",
            sample: "/var/lib/prometheus/node-exporter/migrated.prom",
            """
            Where the daemon writes its metrics, for the textfile collector of Prometheus's node_exporter: replaced as a whole whenever \
            something has happened. The directory must be writable for the daemon's user, and each daemon needs a file of its own.
            """),
        SettingKey(
            "hooks", \.hooks, .path, in: .monitoring, isPath: true, defaultNote: "/etc/migrated/hooks.d",
            sample: "/etc/migrated/hooks.d",
            """
            A directory of programs that the daemon runs after applied, failed, deferred and drift_detected, with the event as JSON on \
            standard input. Root or the daemon's user must own them, and nobody else may write them; names hold letters, digits, '_' and \
            '-' alone. They cannot read the daemon's credentials, its signing key and its password files (landlock, Linux 5.13). A hook \
            that fails changes nothing but the journal. It need not exist.
            """),
        SettingKey(
            "hook-timeout", \.hookTimeout, .time(millisecond...TimeSpan.seconds(3600)), in: .monitoring,
            "How long one hook may take; then it is killed."),
    ]
}
