internal import Configuration
internal import Postgres
internal import Reporting
internal import SQLParsing

extension FileRun {
    /// Hands the working session over to the file, before its statement at `index`, where the session is still as we had it: with the role's
    /// own search_path, and with what the file's earlier statements have set for the session.
    ///
    /// Those are repeated where a file goes on in another session than the one it began in: behind segments of an earlier attempt, or after
    /// the connection was lost between two segments. Otherwise the rest would run in another schema or as another role.
    ///
    /// `opening` is what is to run first then; `isOurs` where no word of it is the file's.
    func handOver(_ script: Script, before index: Int, _ opening: String? = nil, isOurs: Bool = true) throws(Stop) -> (
        connection: Connection, results: [QueryResult]
    ) {
        try run { () throws(RunFailure) in
            let path = try ownPath()
            return try sessions.handOver(
                path, repeated: script.sessionSettings(before: index), opening, isOurs: isOurs && path.count == 1)
        }
    }

    /// Gives the session the role's own search_path. Where it takes more than one statement, the words of the others hold backslashes.
    func ownPath() throws(RunFailure) -> [String] {
        let user = if let working = sessions.working { working.user } else { try sessions.work().user }
        return ["RESET search_path"] + (user == settings.schema ? [FileRun.leaveUserSchema] : [])
    }

    /// Takes `"$user"` out of the search_path. For a role that is named like the history's schema, as the service's own user is, it means
    /// that schema: the tables of a file that names no schema would be made among the history's.
    private static let leaveUserSchema = """
        SELECT pg_catalog.set_config('search_path', pg_catalog.regexp_replace(\
        pg_catalog.current_setting('search_path'), '"\\$user"\\s*,\\s*|(,\\s*)?"\\$user"\\s*$', ''), false)
        """
}

extension Script {
    /// The statements before `index` that set something for the rest of the session, as they are written: SET and RESET without LOCAL, and
    /// a SELECT of nothing but set_config.
    func sessionSettings(before index: Int) -> [String] {
        statements.indices.prefix(index).compactMap { number in
            switch statements[number].node {
            case "VariableSetStmt":
                // SET TRANSACTION is the transaction's alone; SET SESSION CHARACTERISTICS is the session's.
                guard let root = root(number), root.text("name") != "TRANSACTION", !root.flag("is_local") else {
                    return nil
                }
            case "SelectStmt": guard callsOnlySetConfig(number) else { return nil }
            default: return nil
            }
            return String(decoding: text[statements[number].range], as: UTF8.self)
        }
    }

    private func callsOnlySetConfig(_ statement: Int) -> Bool {
        guard let root = root(statement), !root.has("fromClause"), !root.has("whereClause"),
            let target = root.nodes("targetList").first, root.nodes("targetList").count == 1,
            target.type == "ResTarget", let value = target.fields.node("val"), value.type == "FuncCall"
        else { return false }
        return value.fields.strings("funcname").last == "set_config"
    }
}
