extension Script {
    /// Whether a procedure with that body ends transactions, as far as it can be read.
    public static func endsTransactions(body: String, language: String) -> Bool {
        Committing(procedures: []).isFound(in: Array(body.utf8), language: language)
    }

    /// Names of the procedures that it calls inside of transactions that are not its own.
    public var calledProcedures: Set<String> {
        Set(
            segments.lazy.filter { $0.kind == .transaction }.flatMap(\.statements).compactMap { index in
                guard statements[index].node == "CallStmt" else { return nil }
                return root(index)?.field("funccall")?.strings("funcname").last
            })
    }
}
