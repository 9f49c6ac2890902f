internal import ArgumentParser
internal import AuditReading
internal import Postgres
internal import Reporting

/// Which history is asked.
struct HistoryOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Connection string of libpq; without it the PG* variables.", valueName: "conninfo"))
    var database: String?

    @Option(name: .long, help: ArgumentHelp("Schema of the history (default: migrated).", valueName: "name"))
    var schema: String?

    /// Connects. Every question is then asked in a READ ONLY transaction of its own; nothing is set for the session, because behind a
    /// pooler the session is not ours alone.
    func reader() throws -> HistoryReader {
        let target = try ConnectionTarget(database ?? "", applicationName: Program.name)
        let connection = try Connection(target, waiter: BlockingWaiter())
        return HistoryReader(connection, schema: schema ?? "migrated")
    }
}

/// The form of the answer.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    case table, json, ndjson, csv
}

/// How the answer is printed.
struct OutputOptions: ParsableArguments {
    @Option(name: [.short, .long], help: ArgumentHelp("How to print: table, json, ndjson or csv.", valueName: "form"))
    var output: OutputFormat = .table
}
