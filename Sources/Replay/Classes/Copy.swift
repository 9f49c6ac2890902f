internal import ForeignKeys
internal import Reporting
internal import SQLParsing

/// An empty copy of a table in the scratch schema, under its own name, on which parts of it can be built without touching it.
///
/// The real table is only read for its columns (ACCESS SHARE, until the savepoint is gone); no row is.
struct Copy {
    /// The table as the statement names it.
    let table: TableName
    /// Where it does.
    let place: Range<Int>

    init?(_ relation: TreeNode?, _ script: Script, _ statement: Int) {
        guard let relation, let table = TableName(relation: relation), relation.text("relpersistence") != "t",
            let at = relation.location, let place = script.nameRange(at: at, name: table.name, in: statement)
        else { return nil }
        self.table = table
        self.place = place
    }

    var lookup: Lookup { .relations([table]) }

    /// The first columns of an answer about a part of the table: `object` says how people call it, `c` is the table and `n` its schema.
    static func standing(object: String, extra: [String] = [], from: String) -> String {
        """
        SELECT pg_catalog.quote_ident(n.nspname), \(object), c.oid, c.oid::pg_catalog.regclass, c.relkind\(extra.map { ", \($0)" }.joined())
          FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
          \(from)
        """
    }

    /// A part of the table for people, as SQL: `public.users.email`.
    static func part(_ name: String) -> String { "pg_catalog.concat_ws('.', n.nspname, c.relname, \(name))" }

    /// The statements that make the copy.
    func build(_ standing: Standing, in scratch: inout Scratch) -> [String] {
        scratch.stands(for: standing.schema)
        guard let real = standing.extra.first ?? nil else { return [] }
        let copy = scratch.qualified(table.name)
        if standing.extra.dropFirst().first == "v" { return ["CREATE VIEW \(copy) AS SELECT * FROM \(real)"] }
        return ["CREATE TABLE \(copy) (LIKE \(real))"]
    }

    /// The copy's oid, as SQL.
    func oid(in scratch: Scratch) -> String {
        RelationFacts.oid(Quoting.literal(scratch.name), Quoting.literal(table.name))
    }
}
