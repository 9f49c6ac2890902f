/// When PostgreSQL does a command of an ALTER TABLE: it goes over the statement's commands several times and does those of one kind each time, the drops first,
/// wherever they stand. Those of one pass it does in the order of the text.
///
/// After AlterTablePass and ATPrepCmd in PostgreSQL's tablecmds.c, the same from 13 to 18 for what is read here.
enum AlterTablePass: Int, Comparable {
    case drop
    case alterType
    case addColumn
    case columnAttributes
    case addIndexConstraint
    case addIndex
    case addOtherConstraint
    case miscellaneous

    /// The pass that does `command`, an AlterTableCmd. What ADD COLUMN says besides the column, a constraint of its own, is done with its like.
    init(_ command: TreeNode) {
        switch command.text("subtype") {
        case "AT_DropColumn", "AT_DropConstraint", "AT_DropNotNull", "AT_DropIdentity", "AT_DropExpression":
            self = .drop
        case "AT_ColumnDefault": self = command.has("def") ? .addOtherConstraint : .drop
        case "AT_AlterColumnType": self = .alterType
        case "AT_AddColumn": self = .addColumn
        case "AT_SetNotNull": self = .columnAttributes
        case "AT_AddIdentity": self = .addOtherConstraint
        case "AT_AddConstraint":
            let constraint = command.node("def")?.fields
            switch constraint?.text("contype") {
            case _ where constraint?.has("indexname") == true: self = .addIndexConstraint
            case "CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION": self = .addIndex
            default: self = .addOtherConstraint
            }
        default: self = .miscellaneous
        }
    }

    static func < (one: AlterTablePass, other: AlterTablePass) -> Bool { one.rawValue < other.rawValue }
}

extension TreeNode {
    /// The commands of an ALTER TABLE in the order in which PostgreSQL does them, each with its number in the text, from 0.
    public var alterTableCommands: [(number: Int, command: TreeNode)] {
        list("cmds", of: "AlterTableCmd").enumerated().map { (pass: AlterTablePass($1), number: $0, command: $1) }
            .sorted { ($0.pass, $0.number) < ($1.pass, $1.number) }.map { ($0.number, $0.command) }
    }
}
