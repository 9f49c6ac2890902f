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

    /// What becomes of a pending file that sorts before an applied one where nothing is configured: what the layout's own tool does,
    /// except that a tool that would skip the file in silence stops here.
    public var lateByDefault: Late {
        switch self {
        case .prisma, .dbmate, .diesel, .sqlx: .apply
        case .golangMigrate, .drizzle, .flat, .flyway, .goose: .stop
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
