internal import AuditSchema

/// What this program's own SQL files say of the history's functions: the measure for what a database has.
struct ShippedSchema: Equatable {
    /// A function as the newest file that writes it has it.
    struct Function: Equatable {
        /// The text between its dollar quotes, as pg_proc keeps it.
        var body: String
        /// Whether it runs with its owner's rights.
        var isDefiner: Bool
        /// Whether it pins its search_path; where it does not, it names nothing without a schema.
        var isPinned: Bool
    }

    /// The functions by name.
    var functions: [String: Function] = [:]

    /// The functions of the files up to `version`, with that schema's quoted name.
    init(version: Int, quotedSchema: String) {
        for number in 1...AuditSchema.currentVersion where number <= version {
            read(AuditSchema.sql(version: number, quotedSchema: quotedSchema), quotedSchema)
        }
    }

    private mutating func read(_ sql: String, _ quotedSchema: String) {
        // A file that drops a function by one of its forms may write another form of it.
        for statement in sql.split(separator: "\nDROP FUNCTION \(quotedSchema).").dropFirst() {
            functions[String(statement.prefix { $0 != "(" })] = nil
        }
        let created = sql.replacing("\nCREATE OR REPLACE FUNCTION ", with: "\nCREATE FUNCTION ")
        for statement in created.split(separator: "\nCREATE FUNCTION \(quotedSchema).").dropFirst() {
            let parts = statement.split(separator: "$$", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, let name = statement.split(separator: "(").first else {
                preconditionFailure("each function of our files has a name, and a body between dollar quotes")
            }
            functions[String(name)] = Function(
                body: String(parts[1]), isDefiner: parts[0].contains("SECURITY DEFINER"),
                isPinned: parts[0].contains("SET search_path"))
        }
    }
}
