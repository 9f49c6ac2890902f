internal import Postgres

/// What a login could do to the history beside what migrated itself does with it, and what that means.
struct LoginPowers: Equatable {
    /// The login's name.
    var login: String
    /// Whether migrations run as this login: then every file has its powers.
    var runsFiles: Bool
    var isSuperuser = false
    /// Whether it owns the history, or can become the role that does.
    var owns = false
    /// Whether it can make itself a member of the owner: whoever may create roles can, before PostgreSQL 16.
    var joinsAnyRole = false
    /// Whether it may append events without a token.
    var appends = false

    /// The question, with the names of the login and of the schema as its parameters.
    static let question = """
        SELECT r.rolsuper, pg_catalog.pg_has_role(r.oid, n.nspowner, 'MEMBER'),
               r.rolcreaterole AND pg_catalog.current_setting('server_version_num')::integer < 160000,
               coalesce(pg_catalog.has_function_privilege(r.oid, f.oid, 'EXECUTE'), false)
          FROM pg_catalog.pg_roles AS r
          JOIN pg_catalog.pg_namespace AS n ON n.nspname = $2::pg_catalog.name
          LEFT JOIN pg_catalog.pg_proc AS f ON f.pronamespace = n.oid AND f.proname = 'append_events'
         WHERE r.rolname = $1::pg_catalog.name
        """

    init(login: String, runsFiles: Bool) {
        self.login = login
        self.runsFiles = runsFiles
    }

    /// The powers that `question` was answered with; nil where there is no such login or no history.
    init?(_ found: QueryResult, login: String, runsFiles: Bool) {
        guard !found.rows.isEmpty else { return nil }
        self.init(login: login, runsFiles: runsFiles)
        isSuperuser = found.isTrue(0, 0)
        owns = found.isTrue(0, 1)
        joinsAnyRole = found.isTrue(0, 2)
        appends = found.isTrue(0, 3)
    }

    /// What that weakens, one clause; nil where there is nothing to say. The greatest power says it all.
    var weakness: String? {
        let who = runsFiles ? "login '\(login)' runs the files and " : "login '\(login)' keeps the history and "
        let whoever = runsFiles ? "a file" : "whoever is that login"
        if isSuperuser {
            return who
                + "is a superuser: \(whoever) can change the history and all that guards it, which only anchors outside of the database show"
        }
        if owns { return who + "owns it, or can become its owner: \(whoever) can change or drop what was recorded" }
        if joinsAnyRole { return who + "may create roles: \(whoever) can become the history's owner" }
        if runsFiles, appends { return who + "keeps the history as well: a file can append events that look true" }
        return nil
    }
}

extension Sessions {
    /// What a login could do to the history in `schema`; nil where there is no history, or no such login.
    func powers(of login: String, runsFiles: Bool, schema: String) throws(RunFailure) -> LoginPowers? {
        LoginPowers(
            try query(books(), LoginPowers.question, [.text(login), .text(schema)]), login: login, runsFiles: runsFiles)
    }
}
