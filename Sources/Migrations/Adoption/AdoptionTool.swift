internal import Reporting

/// The tools whose history can be taken over, named as `--from` names them.
public enum AdoptionTool: String, CaseIterable, Sendable {
    /// Prisma Migrate.
    case prisma
    /// golang-migrate: one row that holds the newest version.
    case golangMigrate = "golang-migrate"
    /// Encore: golang-migrate's table, with one row or with one for each version.
    case encore
    /// Drizzle, before and as of 1.0.
    case drizzle
    /// Flyway.
    case flyway
    /// goose.
    case goose
    /// dbmate.
    case dbmate
    /// diesel.
    case diesel
    /// sqlx.
    case sqlx

    /// What its history table is called unless it is configured otherwise.
    var tableNames: [String] {
        switch self {
        case .prisma: ["_prisma_migrations"]
        case .golangMigrate, .encore, .dbmate: ["schema_migrations"]
        case .drizzle: ["__drizzle_migrations"]
        case .flyway: ["flyway_schema_history", "schema_version"]
        case .goose: ["goose_db_version"]
        case .diesel: ["__diesel_schema_migrations"]
        case .sqlx: ["_sqlx_migrations"]
        }
    }

    /// The columns that are read, in the order in which they are.
    var columns: [HistoryColumn] {
        switch self {
        case .prisma:
            [
                .init("id", .text), .init("migration_name", .text), .init("checksum", .text),
                .init("started_at", .time),
                .init("finished_at", .time), .init("rolled_back_at", .time), .init("logs", .text, optional: true),
            ]
        case .golangMigrate, .encore: [.init("version", .integer), .init("dirty", .boolean)]
        case .drizzle:
            [
                .init("id", .integer), .init("hash", .text), .init("created_at", .integer),
                .init("name", .text, optional: true), .init("applied_at", .time, optional: true),
            ]
        case .flyway:
            [
                .init("installed_rank", .integer), .init("version", .text), .init("description", .text),
                .init("type", .text), .init("script", .text), .init("checksum", .integer), .init("success", .boolean),
                .init("installed_on", .time, optional: true),
            ]
        case .goose:
            [
                .init("id", .integer), .init("version_id", .integer), .init("is_applied", .boolean),
                .init("tstamp", .time, optional: true),
            ]
        case .dbmate: [.init("version", .text)]
        case .diesel: [.init("version", .text), .init("run_on", .time, optional: true)]
        case .sqlx:
            [
                .init("version", .integer), .init("success", .boolean), .init("checksum", .bytes),
                .init("installed_on", .time, optional: true),
            ]
        }
    }

    /// Further columns that the tool itself makes and that say nothing here.
    var ignoredColumns: Set<String> {
        switch self {
        case .prisma: ["applied_steps_count"]
        case .flyway: ["installed_by", "execution_time", "version_rank"]
        case .sqlx: ["description", "execution_time"]
        default: []
        }
    }

    /// The column that rows are read in the order of.
    var orderColumn: String {
        switch self {
        case .prisma: "started_at"
        case .golangMigrate, .encore, .dbmate, .diesel, .sqlx: "version"
        case .drizzle, .goose: "id"
        case .flyway: "installed_rank"
        }
    }
}

/// A column of a tool's history table, and how it is read as text.
struct HistoryColumn: Sendable {
    enum Form: Sendable { case text, integer, boolean, time, bytes }

    var name: String
    var form: Form
    var optional: Bool

    init(_ name: String, _ form: Form, optional: Bool = false) {
        self.name = name
        self.form = form
        self.optional = optional
    }

    /// Whether a column of the server's type `type` can be read so.
    func takes(_ type: String) -> Bool {
        switch form {
        case .text: ["text", "varchar", "bpchar", "name", "uuid", "citext"].contains(type)
        case .integer: ["int2", "int4", "int8"].contains(type)
        case .boolean: type == "bool"
        case .time: ["timestamptz", "timestamp"].contains(type)
        case .bytes: type == "bytea"
        }
    }

    /// The expression that reads it as text. Moments with a zone are written in UTC, those without are written as they are.
    func expression(type: String) -> String {
        let column = Quoting.identifier(name)
        return switch form {
        case .text, .integer, .boolean: "\(column)::pg_catalog.text"
        case .time where type == "timestamptz":
            "pg_catalog.to_char(\(column) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        case .time: "pg_catalog.to_char(\(column), 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
        case .bytes: "pg_catalog.encode(\(column), 'hex')"
        }
    }
}
