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
    /// Supabase's command line.
    case supabase
    /// Atlas.
    case atlas
    /// sql-migrate.
    case sqlMigrate = "sql-migrate"
    /// node-pg-migrate.
    case nodePgMigrate = "node-pg-migrate"
    /// MyBatis Migrations.
    case mybatis
    /// tern: one row that holds the newest version.
    case tern
    /// rambler.
    case rambler
    /// Play's evolutions.
    case play
    /// Hasura's command line, with its state in the catalog of version 2 and later.
    case hasura
    /// graphile-migrate.
    case graphile
    /// PGmigrate.
    case pgmigrate
    /// Liquibase.
    case liquibase
    /// sqitch.
    case sqitch

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
        case .supabase: ["schema_migrations"]
        case .atlas: ["atlas_schema_revisions"]
        case .sqlMigrate: ["gorp_migrations"]
        case .nodePgMigrate: ["pgmigrations"]
        case .mybatis: ["changelog"]
        case .tern: ["schema_version"]
        case .rambler: ["migrations"]
        case .play: ["play_evolutions"]
        case .hasura: ["hdb_version"]
        case .graphile: ["migrations"]
        case .pgmigrate: ["schema_version"]
        case .liquibase: ["databasechangelog"]
        case .sqitch: ["changes"]
        }
    }

    /// The schema that its table is always in; nil where it may be in any.
    var schema: String? {
        switch self {
        case .supabase: "supabase_migrations"
        case .hasura: "hdb_catalog"
        case .graphile: "graphile_migrate"
        default: nil
        }
    }

    /// Whether the table's name is one that applications give to tables of their own: it is looked for only where the folder is this tool's.
    var hasCommonName: Bool { self == .mybatis || self == .rambler || self == .sqitch }

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
        case .supabase: [.init("version", .text), .init("name", .text, optional: true)]
        case .atlas:
            [
                .init("version", .text), .init("type", .integer), .init("applied", .integer), .init("total", .integer),
                .init("executed_at", .time, optional: true), .init("error", .text, optional: true),
                .init("hash", .text, optional: true),
            ]
        case .sqlMigrate:
            [
                .init("id", .text), .init("applied_at", .time, optional: true),
                .init("checksum", .text, optional: true),
            ]
        case .nodePgMigrate: [.init("name", .text), .init("run_on", .time), .init("id", .integer, optional: true)]
        case .mybatis: [.init("id", .number), .init("applied_at", .text), .init("description", .text)]
        case .tern: [.init("version", .integer)]
        case .rambler: [.init("migration", .text)]
        case .hasura: [.init("cli_state", .json)]
        case .graphile: [.init("filename", .text), .init("hash", .text), .init("date", .time)]
        case .pgmigrate:
            [
                .init("version", .integer), .init("description", .text), .init("type", .enumeration),
                .init("installed_on", .time),
            ]
        case .liquibase:
            [
                .init("id", .text), .init("author", .text), .init("filename", .text), .init("orderexecuted", .integer),
                .init("dateexecuted", .time), .init("exectype", .text),
            ]
        case .sqitch:
            [
                .init("change", .text), .init("script_hash", .text), .init("change_id", .text), .init("project", .text),
                .init("committed_at", .time),
            ]
        case .play:
            [
                .init("id", .integer), .init("applied_at", .time), .init("apply_script", .text),
                .init("revert_script", .text), .init("state", .text, optional: true),
            ]
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
        case .supabase: ["statements", "created_by", "idempotency_key", "rollback"]
        case .atlas: ["description", "execution_time", "error_stmt", "partial_hashes", "operator_version"]
        case .play: ["hash", "last_problem"]
        case .hasura:
            [
                "hasura_uuid", "version", "upgraded_on", "console_state", "ee_client_id", "ee_client_secret",
                "misc_state",
            ]
        case .graphile: ["previous_hash"]
        case .pgmigrate: ["installed_by"]
        case .liquibase:
            ["md5sum", "description", "comments", "tag", "liquibase", "contexts", "labels", "deployment_id"]
        case .sqitch:
            ["note", "committer_name", "committer_email", "planned_at", "planner_name", "planner_email"]
        default: []
        }
    }

    /// The column that rows are read in the order of.
    var orderColumn: String {
        switch self {
        case .prisma: "started_at"
        case .golangMigrate, .encore, .dbmate, .diesel, .sqlx, .supabase, .atlas, .tern, .pgmigrate: "version"
        case .drizzle, .goose, .sqlMigrate, .mybatis, .play: "id"
        case .nodePgMigrate: "run_on"
        case .rambler: "migration"
        case .hasura: "cli_state"
        case .graphile: "filename"
        case .liquibase: "orderexecuted"
        case .sqitch: "committed_at"
        case .flyway: "installed_rank"
        }
    }
}

/// A column of a tool's history table, and how it is read as text.
struct HistoryColumn: Sendable {
    enum Form: Sendable { case text, integer, number, boolean, time, bytes, json, enumeration }

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
        case .number: ["int2", "int4", "int8", "numeric"].contains(type)
        case .json: ["json", "jsonb"].contains(type)
        // Whatever the tool has called it.
        case .enumeration: true
        case .boolean: type == "bool"
        case .time: ["timestamptz", "timestamp"].contains(type)
        case .bytes: type == "bytea"
        }
    }

    /// The expression that reads it as text. Moments with a zone are written in UTC, those without are written as they are.
    func expression(type: String) -> String {
        let column = Quoting.identifier(name)
        return switch form {
        case .text, .integer, .number, .boolean, .json, .enumeration: "\(column)::pg_catalog.text"
        case .time where type == "timestamptz":
            "pg_catalog.to_char(\(column) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        case .time: "pg_catalog.to_char(\(column), 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
        case .bytes: "pg_catalog.encode(\(column), 'hex')"
        }
    }
}
