internal import ForeignKeys
internal import Reporting
internal import SQLParsing

/// The row type of a table, and that of what stands for it in the scratch schema.
enum RowType {
    /// The statement that lets a function of the real table's rows take those of the scratch table.
    static func cast(_ table: TableName, _ standing: Standing, in scratch: inout Scratch) -> String {
        // Quoted where it has to be, as the server prints it.
        let plain = table.name.unicodeScalars.allSatisfy {
            ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "_"
        }
        let name = plain ? table.name : Quoting.identifier(table.name)
        scratch.casts("\(name).*", to: "\(standing.schema).\(name)")
        return
            "CREATE CAST (\(scratch.qualified(table.name)) AS \(standing.schema).\(Quoting.identifier(table.name))) WITH INOUT AS IMPLICIT"
    }
}

extension TreeNode {
    /// Whether an expression in it may be about a table's whole row: `CHECK (f(t))`, `CHECK (f(t.*))`.
    func mayTakeRow(of table: TableName) -> Bool {
        descendants(with: "fields").contains { reference in
            let parts = reference.strings("fields")
            return parts.last?.exact == table.name.exact
        }
    }
}
