public import Reporting

/// A table as the server's catalog describes it.
public struct CatalogTable: Sendable, Equatable {
    /// Its schema.
    public var schema: String
    /// Its name.
    public var name: String
    /// Its columns' names with the names of their types (`int8`, `varchar`).
    public var columns: [String: String]

    /// A table from its parts.
    public init(schema: String, name: String, columns: [String: String]) {
        self.schema = schema
        self.name = name
        self.columns = columns
    }

    /// The catalog query whose rows are schema, table, column and type of every table that may be a tool's history; its one parameter is
    /// `names(_:)`.
    public static let query = """
        SELECT n.nspname::text, c.relname::text, a.attname::text, t.typname::text
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
         WHERE c.relkind IN ('r', 'p') AND c.relname = ANY ($1::pg_catalog.text[])
           -- What a stranger has put there under a tool's name is no history, and its policies would run.
           AND NOT c.relrowsecurity AND NOT c.relhasrules
           AND (pg_catalog.pg_has_role(c.relowner, 'USAGE') OR c.relowner IN (
                SELECT d.datdba FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
                UNION ALL SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolsuper))
         ORDER BY 1, 2, a.attnum
        """

    /// The names to ask the catalog for, as an array's text: of the table that an operator names, alone or with its schema; or those that
    /// the tools use.
    public static func names(_ named: String? = nil) -> String {
        var names = Set(AdoptionTool.allCases.flatMap(\.tableNames) + ["ar_internal_metadata"])
        if let named {
            names = [named, "ar_internal_metadata"]
            if let dot = named.firstIndex(of: ".") { names.insert(String(named[named.index(after: dot)...])) }
        }
        return Quoting.array(names.sorted())
    }

    /// The tables out of the rows of `query`.
    public static func tables(_ rows: [[String]]) -> [CatalogTable] {
        var tables: [CatalogTable] = []
        for row in rows where row.count == 4 {
            if tables.last?.schema != row[0] || tables.last?.name != row[1] {
                tables.append(CatalogTable(schema: row[0], name: row[1], columns: [:]))
            }
            tables[tables.count - 1].columns[row[2]] = row[3]
        }
        return tables
    }
}

/// Another tool's history table, found and told apart by its name and columns.
public struct HistoryTable: Sendable, Equatable {
    /// Whose it is.
    public let tool: AdoptionTool
    /// Where it is.
    public let table: CatalogTable
    /// Columns that the tool does not make, and that are not read.
    public let foreignColumns: [String]
    /// Whether an operator has said whose it is.
    let isNamed: Bool

    /// Finds the one history table among what the catalog holds; nil where there is none.
    ///
    /// - Parameters:
    ///   - tables: what `CatalogTable.query` found.
    ///   - tool: the tool that the operator names, if any.
    ///   - named: the table that the operator names, alone or with its schema.
    ///   - layout: the folder's: a table with a common name is a tool's only beside that tool's folder.
    /// - Throws: `.configuration` where several tables may be meant, or one has a tool's name and another shape.
    public static func find(
        in tables: [CatalogTable], tool: AdoptionTool? = nil, named: String? = nil,
        layout: LayoutName? = nil
    ) throws(Complaint) -> HistoryTable? {
        let isSupabases = tables.contains { $0.schema == AdoptionTool.supabase.schema }
        let candidates = tables.filter { table in
            if let named { return named == table.name || named == "\(table.schema).\(table.name)" }
            // Supabase's own services keep histories of theirs beside the project's.
            if isSupabases, ["auth", "realtime", "storage"].contains(table.schema) { return false }
            return table.name != "ar_internal_metadata"
        }
        var found: [HistoryTable] = []
        var misfits: [Complaint] = []
        for table in candidates {
            // Encore's table is golang-migrate's: which of the two it is, only the operator and the number of its rows tell.
            let tools =
                tool.map { [$0] }
                ?? AdoptionTool.allCases.filter {
                    $0 != .encore && (!$0.hasCommonName || named != nil || layout?.rawValue == $0.rawValue)
                }
            let fitting = tools.filter { tool in
                // In another schema a table of that name is somebody else's.
                named != nil || tool.tableNames.contains(table.name) && (tool.schema ?? table.schema) == table.schema
            }
            if fitting.isEmpty { continue }
            let fits = fitting.filter { $0.misfit(table) == nil }
            if let best = fits.max(by: { $0.score(table) < $1.score(table) }) {
                let isRails =
                    best == .dbmate && tool == nil
                    && tables.contains { $0.name == "ar_internal_metadata" && $0.schema == table.schema }
                if isRails {
                    misfits.append(
                        Complaint(
                            .configuration, "\(table.shown) belongs to Rails, whose migrations are no SQL files",
                            hint: "Give '--from dbmate' where it is dbmate's all the same."))
                } else {
                    found.append(HistoryTable(best, table, isNamed: tool != nil))
                }
            } else if let misfit = fitting.compactMap({ $0.misfit(table) }).first {
                let names = fitting.map(\.rawValue).joined(separator: " or ")
                misfits.append(
                    Complaint(
                        .configuration, "\(table.shown) is not shaped as that of \(names): \(misfit)",
                        hint: "Name the tool with --from and its table with --history-table."))
            }
        }
        if found.count > 1 {
            // Hasura's older table stays beside its state.
            let newer = found.filter { $0.tool == .hasura || $0.table.schema != AdoptionTool.hasura.schema }
            if newer.count == 1 { return newer[0] }
            let names = found.map { "\($0.table.shown) of \($0.tool.rawValue)" }.joined(separator: " and ")
            throw Complaint(
                .configuration, "several histories are there: \(names)",
                hint: "Say which one with --from TOOL or --history-table SCHEMA.TABLE.")
        }
        if let table = found.first { return table }
        if let misfit = misfits.first { throw misfit }
        if let named {
            throw Complaint(
                .configuration, "there is no table '\(named)' that can be read",
                hint: "Write it as SCHEMA.TABLE, without quotes.")
        }
        return nil
    }

    private init(_ tool: AdoptionTool, _ table: CatalogTable, isNamed: Bool) {
        self.isNamed = isNamed
        self.tool = tool
        self.table = table
        let known = Set(tool.columns.map(\.name)).union(tool.ignoredColumns)
        foreignColumns = table.columns.keys.filter { !known.contains($0) }.sorted()
    }

    /// The query that reads it: one text column for each of the tool's columns, null where it is not there, in the order of the record.
    public var query: String {
        if tool == .hasura { return hasuraQuery }
        let list = tool.columns.map { column in
            table.columns[column.name].map { column.expression(type: $0) } ?? "NULL::pg_catalog.text"
        }
        return """
            SELECT \(list.joined(separator: ", ")) FROM \(Quoting.qualified([table.schema, table.name])) \
            ORDER BY \(Quoting.identifier(tool.orderColumn))
            """
    }
}

extension AdoptionTool {
    /// The names of what the query returns.
    var resultColumns: [String] { self == .hasura ? ["version", "dirty", "source"] : columns.map(\.name) }
}

extension HistoryTable {
    /// One row for each version of each database that Hasura's command line keeps in its state.
    private var hasuraQuery: String {
        """
        SELECT v.key, v.value, s.key FROM \(Quoting.qualified([table.schema, table.name])) AS h,
               LATERAL pg_catalog.jsonb_each(h.cli_state::pg_catalog.jsonb OPERATOR(pg_catalog.->) 'migrations') AS s,
               LATERAL pg_catalog.jsonb_each_text(s.value) AS v
         WHERE pg_catalog.jsonb_typeof(h.cli_state::pg_catalog.jsonb OPERATOR(pg_catalog.->) 'migrations') = 'object'
         ORDER BY s.key, v.key
        """
    }
}

extension CatalogTable {
    var shown: String { "'\(schema).\(name)'" }
}

extension AdoptionTool {
    /// What keeps `table` from being this tool's history; nil where nothing does.
    fileprivate func misfit(_ table: CatalogTable) -> String? {
        for column in columns {
            guard let type = table.columns[column.name] else {
                if column.optional { continue }
                return "column '\(column.name)' is missing"
            }
            guard column.takes(type) else { return "column '\(column.name)' is of type '\(type)'" }
        }
        if let schema, table.schema != schema { return "it is not in schema '\(schema)'" }
        let foreign: [String] =
            switch self {
            case .dbmate: table.schema == AdoptionTool.supabase.schema ? ["version"] : ["dirty"]
            case .tern: ["description", "installed_rank", "dirty"]
            case .rambler: ["batch"]
            default: []
            }
        if let column = foreign.first(where: { table.columns[$0] != nil }) { return "column '\(column)' is there" }
        return nil
    }

    /// How much of the table it explains: where the shapes of two fit, the one that knows more of the columns is meant.
    fileprivate func score(_ table: CatalogTable) -> Int {
        columns.count { table.columns[$0.name] != nil }
    }
}
