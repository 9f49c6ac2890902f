extension Script {
    /// How much of a script is sent in one message: of a message with several statements nobody can say which of them runs, for the server
    /// keeps its answers until the last has ended.
    public enum Messages: Sendable {
        /// As much as can be, but for what makes rows and what follows that.
        case long
        /// What may take long on tables that hold much is sent by itself.
        case short
    }

    /// Whether `messages` are others where they are to be short.
    public var hasLongStatements: Bool {
        segments.contains {
            $0.kind == .transaction && $0.statements.count > 1 && $0.statements.contains(where: isLong)
        }
    }

    /// Statements of one transaction as they are sent: each range is one message.
    public func messages(_ range: Range<Int>, _ messages: Messages) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var start = range.lowerBound
        var isShort = messages == .short
        for index in range {
            // Neither we nor the server have to hold more of a large text at once.
            if start < index, statements[index].range.upperBound - statements[start].range.lowerBound > Script.longest {
                parts.append(start..<index)
                start = index
            }
            guard makesRows(index) || (isShort && isLong(index)) else { continue }
            if start < index { parts.append(start..<index) }
            parts.append(index..<index + 1)
            start = index + 1
            // What tables hold from here on nobody knows.
            if makesRows(index) { isShort = true }
        }
        if start < range.upperBound { parts.append(start..<range.upperBound) }
        return parts
    }

    /// Whether the statement takes as long as a table is large.
    private func isLong(_ index: Int) -> Bool { Script.long.contains(statements[index].node) || makesRows(index) }

    /// The most bytes that several statements of one message have together.
    private static let longest = 512 << 10

    private static let long: Set<String> = [
        "AlterTableStmt", "AlterDomainStmt", "CallStmt", "DeleteStmt", "DoStmt", "IndexStmt", "MergeStmt",
        "RefreshMatViewStmt", "SelectStmt", "UpdateStmt",
    ]

    /// Whether the statement can fill a table with any number of rows that its text does not hold.
    private func makesRows(_ index: Int) -> Bool {
        switch statements[index].node {
        case "CopyStmt", "CreateTableAsStmt": return true
        case "InsertStmt":
            return root(index)?.node("selectStmt").map { $0.type == "SelectStmt" && !$0.fields.has("valuesLists") }
                ?? false
        default: return false
        }
    }
}
