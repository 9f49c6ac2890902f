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

    /// What becomes of a pending file that sorts before an applied one where nothing is configured: what the layout's own tool does,
    /// except that a tool that would skip the file in silence stops here.
    public var lateByDefault: Late {
        switch self {
        case .prisma: .apply
        case .golangMigrate, .drizzle, .flat: .stop
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
