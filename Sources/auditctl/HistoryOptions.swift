internal import ArgumentParser
internal import Audit
internal import AuditReading
internal import Configuration
internal import Postgres
internal import Reporting
internal import Systemd

/// Which history is asked.
struct HistoryOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Configuration file of the daemon (default: /etc/migrated/migrated.toml where it can be read).",
            valueName: "file"))
    var config: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Connection string of libpq; without any the PG* variables.", valueName: "conninfo"))
    var database: String?

    @Option(name: .long, help: ArgumentHelp("Schema of the history (default: migrated).", valueName: "name"))
    var schema: String?

    @Option(name: .long, help: ArgumentHelp("Where the daemon keeps its anchors.", valueName: "dir"))
    var stateDirectory: String?

    /// What the daemon keeps of this history outside of the database, in the directory that it uses; nothing where there is no such file.
    func anchors(of database: String) throws(Complaint) -> StateWitness {
        let settings = try settings()
        do throws(Complaint) {
            let directory = try StateDirectory.locate(option: settings.stateDirectory)
            guard !database.isEmpty else {
                throw Complaint(.cannotTell, "the server does not say which database this is")
            }
            return StateWitness(directory, database: database, schema: settings.schema)
        } catch {
            return StateWitness(failure: error)
        }
    }

    /// Connects. Every question is then asked in a READ ONLY transaction of its own; nothing is set for the session, because behind a
    /// pooler the session is not ours alone.
    func reader() throws -> HistoryReader { try reader(settings()) }

    /// The same for a question that nobody waits long for: gives up a wait after so many seconds.
    func reader(patience seconds: Int32) throws -> HistoryReader {
        try reader(settings(), BlockingWaiter(limit: seconds * 1000))
    }

    /// Connects with settings that were read already.
    func reader(_ settings: Settings, _ waiter: BlockingWaiter = BlockingWaiter()) throws -> HistoryReader {
        let target = try ConnectionTarget(settings.auditDatabase ?? settings.database, applicationName: Program.name)
        for file in target.files { try SafePath.require(file) }
        // libpq does not bound the opening of a session that is not waited for in libpq itself.
        let patience = waiter.limit
        waiter.limit = 30_000
        let connection = try Connection(target, waiter: waiter)
        waiter.limit = patience
        // Questions alone: a server has next to nothing to remark on them.
        connection.noticeLimit = 1000
        return HistoryReader(connection, schema: settings.schema)
    }

    /// Where the configuration lies if nobody says otherwise.
    private static let standardConfig = "/etc/migrated/migrated.toml"

    /// What the file says, with the flags in its place.
    func settings(directory: String? = nil) throws(Complaint) -> Settings {
        var settings = Settings()
        let standard = ConfigurationFile.exists(HistoryOptions.standardConfig) ? HistoryOptions.standardConfig : nil
        if let path = config ?? standard {
            let (bytes, mode) = try ConfigurationFile.readTrusted(path)
            settings = try Settings(toml: bytes, file: path)
            try ConnectionSecret.refuse(in: settings.database, file: path, mode: mode)
            try ConnectionSecret.refuse(in: settings.auditDatabase, file: path, mode: mode)
        }
        try ConnectionSecret.refuse(in: database, argument: "--database")
        var overrides = SettingsOverrides()
        overrides.database = database
        overrides.schema = schema
        overrides.stateDirectory = stateDirectory
        overrides.directory = directory
        return try overrides.applied(to: settings)
    }
}

/// The form of the answer.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    case table, json, ndjson, csv
    case exactCSV = "csv-exact"

    /// What a cell of CSV is for: `csv` is what a person opens in a spreadsheet.
    var cells: CSV.Cells { self == .exactCSV ? .exact : .inert }
}

/// How the answer is printed.
struct OutputOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "How to print: table, json, ndjson, csv (a ' before what a spreadsheet would run as a formula) or csv-exact.",
            valueName: "form"))
    var output: OutputFormat = .table
    @Flag(name: .long, help: "Do not start a pager on a terminal.")
    var noPager = false

    /// Standard output, or a pager before it where a person reads a table that may be long.
    func opened() -> Output { Output(paged: output == .table && !noPager) }
}
