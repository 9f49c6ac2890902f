internal import ArgumentParser
internal import Reporting
internal import Runner
internal import Systemd

/// `migrated init`: the history with its roles.
struct InitVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract:
            "Sets up or upgrades the history, owned by a role that nobody logs in as, with the rights of each role.",
        discussion: """
            Run it as a superuser, or as a login that may create roles and owns the database's history. It creates the roles \
            audit_owner_DATABASE, migrated_audit_DATABASE, migrator_DATABASE, auditor_DATABASE and source_reader_DATABASE where they are \
            missing, takes every right to the history that others have, and makes the logins named here members; deploy/roles.sql is the \
            same for psql. Roles of these names that are otherwise than it would make them are refused. Doing it again changes nothing.
            """)

    @OptionGroup var settingsOptions: SettingsOptions
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The login that runs the files; it becomes a member of migrator_DATABASE.", valueName: "role"))
    var migrationLogin: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The login that keeps the history; it becomes a member of migrated_audit_DATABASE.", valueName: "role"))
    var auditLogin: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "A login that reads the history; it becomes a member of auditor_DATABASE. May be given several times.",
            valueName: "role"))
    var auditor: [String] = []
    @Option(
        name: .long,
        help: ArgumentHelp(
            "A login that reads the files' texts and the values of rows as well; it becomes a member of source_reader_DATABASE. May be given several times.",
            valueName: "role"))
    var sourceReader: [String] = []
    @Flag(name: .long, help: "Only print the SQL, for psql.")
    var dryRun = false

    func run() throws {
        let settings = try settingsOptions.settings()
        let loop = PollLoop()
        let signals = try Signals()
        loop.add(signals)
        let installation = try Installation(
            settings,
            logins: Installation.Logins(
                migration: migrationLogin, audit: auditLogin, auditors: auditor, sourceReaders: sourceReader),
            loop: loop,
            signals: signals)
        let report = try installation.run(dryRun: dryRun)
        guard !dryRun else { return Terminal.print(lines: report.sql) }
        report.lines.forEach { Terminal.print($0) }
    }
}
