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
            Run it as a superuser, or as a login that may create roles and owns the database's history. It creates the roles audit_owner, \
            migrated_audit, migrator and auditor where they are missing, and gives them to the logins named here; deploy/roles.sql is \
            the same for psql. Doing it again changes nothing.
            """)

    @OptionGroup var settingsOptions: SettingsOptions
    @Option(
        name: .long, help: ArgumentHelp("The login that runs the files; it gets the role migrator.", valueName: "role"))
    var migrationLogin: String?
    @Option(
        name: .long,
        help: ArgumentHelp("The login that keeps the history; it gets the role migrated_audit.", valueName: "role"))
    var auditLogin: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "A login that reads the history; it gets the role auditor. May be given several times.", valueName: "role"))
    var auditor: [String] = []
    @Flag(name: .long, help: "Only print the SQL, for psql.")
    var dryRun = false

    func run() throws {
        let settings = try settingsOptions.settings()
        let loop = PollLoop()
        let signals = try Signals()
        loop.add(signals)
        let installation = try Installation(
            settings,
            logins: Installation.Logins(migration: migrationLogin, audit: auditLogin, auditors: auditor), loop: loop,
            signals: signals)
        let report = try installation.run(dryRun: dryRun)
        guard !dryRun else { return Terminal.print(lines: report.sql) }
        report.lines.forEach { Terminal.print($0) }
    }
}
