/// The ways of laying out a migrations directory that are understood, named as `layout =` names them.
public enum LayoutName: String, CaseIterable, Sendable {
    /// `<name>/migration.sql`, in the order of the directory names.
    case prisma
    /// `N_title.up.sql` and `N_title.down.sql`, in numeric order; Encore's names too.
    case golangMigrate = "golang-migrate"
    /// `meta/_journal.json` and `<tag>.sql`, in the journal's order; or the folders of Drizzle 1.0.
    case drizzle
    /// `N_name.sql`, in numeric order.
    case flat
    /// `V1.2__title.sql`, `R__title.sql`, `U1.2__title.sql` and `B1.2__title.sql`.
    case flyway
    /// `N_name.sql` with `-- +goose Up` and `-- +goose Down`, in numeric order.
    case goose
    /// `N_name.sql` with `-- migrate:up` and `-- migrate:down`, in the order of the file names' bytes.
    case dbmate
    /// `<version>_<name>/up.sql` and `down.sql`, in the order of the versions as texts.
    case diesel
    /// `N_name.sql`, or `N_name.up.sql` and `N_name.down.sql`, in numeric order.
    case sqlx
    /// `<timestamp>_name.sql` in `supabase/migrations`, in the order of the file names' bytes.
    case supabase
    /// `<version>_name.sql` beside `atlas.sum`, in the order of the file names' bytes.
    case atlas
    /// `N_name.sql` with `-- +migrate Up` and `-- +migrate Down`, in numeric order, then by name.
    case sqlMigrate = "sql-migrate"
    /// `N_name.sql` with `-- Up Migration` and `-- Down Migration`, in the order of the moments that the numbers are.
    case nodePgMigrate = "node-pg-migrate"
    /// `N_name.sql` with `-- //@UNDO`, in numeric order.
    case mybatis
    /// `N_name.sql` with `---- create above / drop below ----`, in numeric order.
    case tern
    /// `*.sql` with `-- rambler up` and `-- rambler down`, in the order of the file names' bytes.
    case rambler
    /// `1.sql`, `2.sql` … with `# --- !Ups` and `# --- !Downs`.
    case play
    /// `<milliseconds>_name/up.sql` and `down.sql`, in numeric order.
    case hasura
    /// `committed/000001-name.sql` with their hashes, in numeric order.
    case graphile
    /// `migrations/V0001__Name.sql` beside `migrations.yml`, in numeric order.
    case pgmigrate
    /// `*.sql` that begin with `--liquibase formatted sql`, in the order of the file names' bytes.
    case liquibase
    /// `deploy/<change>.sql` and `revert/<change>.sql`, in the order of `sqitch.plan`.
    case sqitch

    /// What becomes of a pending file that sorts before an applied one where nothing is configured: what the layout's own tool does,
    /// except that a tool that would skip the file in silence stops here.
    public var lateByDefault: Late {
        switch self {
        case .prisma, .dbmate, .diesel, .sqlx, .sqlMigrate, .hasura, .liquibase: .apply
        case .golangMigrate, .drizzle, .flat, .flyway, .goose, .supabase, .atlas, .nodePgMigrate, .mybatis, .tern,
            .rambler, .play, .graphile, .pgmigrate, .sqitch:
            .stop
        }
    }
}

/// Which order the directory names of a layout that sorts by name are put in: `order =`.
public enum OrderPin: String, CaseIterable, Sendable {
    /// As the current tool does: the order of ICU's root collation, which is what JavaScript's `localeCompare` gives.
    case current
    /// As the old engine did: by the bytes of the name.
    case bytes
}

/// What a file of the layouts `flat` and `golang-migrate` is known by: `version-by =`.
public enum VersionBy: String, CaseIterable, Sendable {
    /// Its number, which no two files share.
    case number
    /// Its whole name: files may share a number, and run in the order of number and name.
    case name
}
