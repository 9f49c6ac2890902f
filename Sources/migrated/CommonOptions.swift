internal import ArgumentParser
internal import Configuration
internal import Migrations
internal import Postgres
internal import Reporting
internal import Runner
internal import Systemd

/// How results are printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json
}

/// The options of every verb that prints tables or JSON.
struct CommonOptions: ParsableArguments {
    @OptionGroup var settingsOptions: SettingsOptions
    @Option(name: [.long, .customShort("o")], help: ArgumentHelp("Output: table or json.", valueName: "form"))
    var output: OutputFormat = .table

    /// The file's settings with the flags in their place.
    func settings() throws(Complaint) -> Settings { try settingsOptions.settings() }
}

/// The options that say what is configured.
struct SettingsOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Configuration file (default: /etc/migrated/migrated.toml where it exists).", valueName: "file"),
        completion: .file())
    var config: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Connection string as libpq takes it; a password belongs into a passfile.", valueName: "conninfo"))
    var database: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Connection string of the login that keeps the history (default: the same login).", valueName: "conninfo"))
    var auditDatabase: String?
    @Option(name: .long, help: ArgumentHelp("Directory of the migrations.", valueName: "dir"), completion: .directory)
    var directory: String?
    @Option(name: .long, help: ArgumentHelp("Schema of the history (default: migrated).", valueName: "name"))
    var schema: String?
    @Option(
        name: .long, help: ArgumentHelp("Where anchors and notes are kept.", valueName: "dir"), completion: .directory)
    var stateDirectory: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Layout: auto, \(LayoutName.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "name"), completion: .list(["auto"] + LayoutName.allCases.map(\.rawValue)))
    var layout: String?
    @Option(
        name: .long,
        help: ArgumentHelp("A pending file that sorts before an applied one: stop or apply.", valueName: "policy"),
        completion: .list(["stop", "apply"]))
    var late: String?
    @Option(
        name: .long,
        help: ArgumentHelp("How long the directory must be quiet before a run (default: 500ms).", valueName: "time"))
    var settle: String?
    @Option(
        name: .long,
        help: ArgumentHelp("How often the directory is looked at without a hint (default: 1min).", valueName: "time"))
    var rescan: String?
    @Option(name: .long, help: ArgumentHelp("Limit of each statement (default: 5min; 0: none).", valueName: "time"))
    var statementTimeout: String?
    @Option(name: .long, help: ArgumentHelp("Limit of each wait for a lock (default: 2s; 0: none).", valueName: "time"))
    var lockTimeout: String?
    @Option(name: .long, help: ArgumentHelp("Limit of a whole file (default: 1h; 0: none).", valueName: "time"))
    var deadline: String?

    /// Where the configuration lies if nobody says otherwise.
    static let standardConfig = "/etc/migrated/migrated.toml"

    /// The file's settings with the flags in their place.
    func settings() throws(Complaint) -> Settings {
        var settings = Settings()
        let standard = ConfigurationFile.exists(SettingsOptions.standardConfig) ? SettingsOptions.standardConfig : nil
        if let path = config ?? standard {
            let (bytes, mode) = try ConfigurationFile.readTrusted(path)
            settings = try Settings(toml: bytes, file: path)
            try ConnectionSecret.refuse(in: settings.database, file: path, mode: mode)
            try ConnectionSecret.refuse(in: settings.auditDatabase, file: path, mode: mode)
        }
        try ConnectionSecret.refuse(in: database, argument: "--database")
        try ConnectionSecret.refuse(in: auditDatabase, argument: "--audit-database")
        return try overrides.applied(to: settings)
    }

    private var overrides: SettingsOverrides {
        var overrides = SettingsOverrides()
        overrides.database = database
        overrides.auditDatabase = auditDatabase
        overrides.directory = directory
        overrides.schema = schema
        overrides.stateDirectory = stateDirectory
        overrides.layout = layout
        overrides.late = late
        overrides.settle = settle
        overrides.rescan = rescan
        overrides.statementTimeout = statementTimeout
        overrides.lockTimeout = lockTimeout
        overrides.deadline = deadline
        return overrides
    }
}

/// What a verb works with.
struct Workplace {
    let settings: Settings
    let loop: PollLoop
    let signals: Signals
    let journal: JournalWriter
    let reporter: Reporter

    /// `quiet` keeps the events off stderr, for a verb that prints its own.
    init(_ options: CommonOptions, quiet: Bool = false) throws {
        try self.init(try options.settings(), quiet: quiet)
    }

    init(_ settings: Settings, quiet: Bool) throws {
        self.settings = settings
        loop = PollLoop()
        signals = try Signals()
        let socket = Process.environment("MIGRATED_JOURNAL_SOCKET")
        // A service of systemd has a journal, be it away for a while; in a container there may never be one.
        journal = JournalWriter(
            path: socket ?? JournalWriter.standardPath,
            isExpected: socket != nil || Process.environment("INVOCATION_ID") != nil)
        reporter = Reporter(journal: journal, quiet: quiet)
        loop.add(signals)
        loop.add(journal)
    }

    /// The engine, for whoever runs this process.
    func engine() throws(RunFailure) -> Engine {
        try Engine(settings, identity: .current, loop: loop, signals: signals, reporter: reporter)
    }
}

extension Engine.Identity {
    /// The unit that systemd started, or the person at the terminal.
    static var current: Engine.Identity {
        if let invocation = Process.invocationID, let unit = Process.unitName {
            return Engine.Identity(initiatedBy: unit, invocationID: invocation)
        }
        let login = Process.loginUser.flatMap { Process.userName(of: $0) }
        let user = Process.userName(of: Process.effectiveUser) ?? "uid \(Process.effectiveUser)"
        return Engine.Identity(initiatedBy: login ?? user, invocationID: nil)
    }
}
