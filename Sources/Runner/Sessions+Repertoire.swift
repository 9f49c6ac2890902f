internal import Audit
internal import Postgres
internal import Systemd

/// What is known of the characters that a database can hold.
struct KnownRepertoire {
    /// The database's encoding.
    let encoding: String
    private(set) var repertoire: Repertoire
    private var known: Set<Unicode.Scalar> = []

    /// Nothing is known yet.
    init(encoding: String) {
        self.encoding = encoding
        repertoire = Repertoire(encoding: encoding)
    }

    /// The characters of `texts` of which it is not known whether the database can hold them; none where it holds all.
    func unknown(in texts: some Sequence<String>) -> [Unicode.Scalar] {
        guard repertoire.isLimited else { return [] }
        var found: Set<Unicode.Scalar> = []
        for text in texts {
            for scalar in text.unicodeScalars where !scalar.isASCII && !known.contains(scalar) { found.insert(scalar) }
        }
        return found.sorted()
    }

    /// The server has said which of them it can hold.
    mutating func learn(_ scalars: some Sequence<Unicode.Scalar>, missing: Bool) {
        known.formUnion(scalars)
        if missing { repertoire.missing.formUnion(scalars) }
    }
}

extension Sessions {
    /// So many questions at most are asked about the characters of one text; what is undecided then counts as missing, and is escaped.
    private static let questionLimit = 500

    /// What the database can hold, with everything about the characters of `texts` known.
    ///
    /// The server itself says it, on the idle session, where an error undoes nothing: a character is there if it comes back from the database's
    /// encoding as it went in. What only goes in, as some East Asian encodings have it, would have another hash afterwards.
    func repertoire(for texts: [String]) throws(RunFailure) -> Repertoire {
        guard var known = repertoire else { return .everything }
        var groups = [known.unknown(in: texts)].filter { !$0.isEmpty }
        guard !groups.isEmpty else { return known.repertoire }
        let connection = try lock()
        var questions = 0
        while let group = groups.popLast() {
            questions += 1
            let holds = questions <= Sessions.questionLimit ? try comesBack(group, known.encoding, connection) : false
            if holds || group.count == 1 || questions > Sessions.questionLimit {
                known.learn(group, missing: !holds)
            } else {
                groups += [Array(group[..<(group.count / 2)]), Array(group[(group.count / 2)...])]
            }
        }
        repertoire = known
        return known.repertoire
    }

    private func comesBack(
        _ scalars: [Unicode.Scalar], _ encoding: String, _ connection: Connection
    ) throws(RunFailure) -> Bool {
        let bytes = Array(String(String.UnicodeScalarView(scalars)).utf8)
        waiter.begin(.bookkeeping(from: .now()))
        do throws(PostgresError) {
            return try connection.query(
                """
                SELECT pg_catalog.convert(pg_catalog.convert($1::bytea, 'UTF8', $2::name), $2::name, 'UTF8')
                       OPERATOR(pg_catalog.=) $1::bytea
                """, [.bytes(bytes), .text(encoding)]
            ).isTrue(0, 0)
        } catch {
            // untranslatable_character; character_not_in_repertoire.
            guard case .server(let refusal) = error, ["22P05", "22021"].contains(refusal.sqlstate) else {
                throw failure(error)
            }
            return false
        }
    }

    /// The values as the database can hold them, so that a question about a name that it cannot hold finds what is written for it.
    func written(_ parameters: [Parameter?]) throws(RunFailure) -> [Parameter?] {
        guard repertoire?.repertoire.isLimited == true else { return parameters }
        let texts = parameters.compactMap { parameter in
            if case .text(let text) = parameter { text } else { nil }
        }
        guard texts.contains(where: { !$0.utf8.allSatisfy { $0 < 0x80 } }) else { return parameters }
        let repertoire = try repertoire(for: texts)
        return parameters.map { parameter in
            guard case .text(let text) = parameter else { return parameter }
            return .text(repertoire.written(text))
        }
    }

    /// A version or a name as the history has it.
    func written(name: String) throws(RunFailure) -> Parameter {
        .text(try repertoire(for: [name]).written(name: name))
    }

    /// The version or the name that the history means.
    func name(fromWritten text: String) -> String { repertoire?.repertoire.name(fromWritten: text) ?? text }
}
