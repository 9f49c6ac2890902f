internal import Audit
internal import AuditReading
internal import Digest
internal import JSON
internal import Reporting
internal import Systemd

/// `verify --file`: whether an export is as it was written. Needs no database and no PostgreSQL.
struct ExportCheck {
    private let path: String
    private let key: PublicKey?

    /// A check of the export at `path`, which shall be signed by `key` where one is given.
    init(_ path: String, signedBy key: PublicKey?) {
        self.path = path
        self.key = key
    }

    /// Reads, tells the verdict, and returns the exit status that it means.
    func run(_ form: OutputOptions) throws -> ExitStatus {
        let verdict: ExportVerdict
        do { verdict = try self.verdict().signed(by: key) } catch {
            var complaint = error.complaint
            complaint.message = "cannot tell: " + complaint.message
            Program.complain(complaint)
            return .cannotTell
        }
        let output = Output()
        do {
            try tell(verdict, form.output, output)
            try output.flush()
        } catch is Ending {
            // The reader has gone, the verdict stays.
        }
        return switch verdict.outcome {
        case .intact: .done
        case .tampered: .failed
        case .cannotTell: .cannotTell
        }
    }

    private func verdict() throws(SystemFailure) -> ExportVerdict {
        let file = try FileStream(path)
        var reader = ExportReader()
        var check = ExportVerification()
        while !reader.isOver {
            let bytes = try file.next()
            if bytes.isEmpty { break }
            reader.append(bytes)
            while let item = reader.next() { check.read(item, line: reader.line) }
        }
        reader.end()
        return check.finish(isCutOff: reader.isCutOff)
    }

    private func tell(_ verdict: ExportVerdict, _ form: OutputFormat, _ output: Output) throws {
        switch form {
        case .table:
            switch verdict.outcome {
            case .intact:
                let head = verdict.trailer.map { Hex.text($0.origin.head.hash) } ?? ""
                try output.line(output.coloured("intact", .green) + ": \(verdict.count) events, head \(head)")
            case .tampered:
                for finding in verdict.findings {
                    try output.line(
                        output.coloured(finding.kind.rawValue, .red) + ": " + Printable.line(finding.what))
                }
            case .cannotTell(let why):
                try output.line(output.coloured("cannot tell", .yellow) + ": " + Printable.line(why))
            }
            for line in verdict.notes(key) { try output.line(Printable.line(line)) }
        case .json, .ndjson: try output.line(JSONText.safe(verdict.json.text))
        case .csv, .exactCSV:
            try output.line("verdict,seq,what")
            for row in verdict.rows { try output.record(row, form) }
        }
    }
}

extension ExportVerdict {
    /// The verdict with the signature over the head held against `key`, where one is given: without one that holds nothing vouches for the
    /// end of the export.
    func signed(by key: PublicKey?) -> ExportVerdict {
        guard let key, outcome == .intact, let trailer else { return self }
        var verdict = self
        guard let signature = trailer.signature?.string.flatMap({ AnchorSignature($0) }), signature.key == key.id,
            let database = trailer.origin.identity
        else {
            verdict.outcome = .cannotTell("the head of the export is not signed by key \(key.id)")
            return verdict
        }
        if !signature.holds(for: trailer.origin.head, database: database, by: key) {
            let seq = trailer.origin.head.seq
            verdict.outcome = .tampered
            verdict.findings.append(
                Finding(.edited, seq, "the signature over event \(seq) is not that of key \(key.id)"))
        }
        return verdict
    }

    /// What else a person should know, one line each.
    func notes(_ key: PublicKey?) -> [String] {
        guard let trailer else { return [] }
        let origin = trailer.origin
        let system = origin.systemIdentifier.map { ", system \($0)" } ?? ""
        let who = [trailer.exportedBy.map { "by \($0)" }, trailer.host.map { "on \($0)" }].compactMap(\.self)
        var notes = [
            "database: \(origin.database), schema \(origin.schema)\(system); the names are the trailer's, which no hash covers",
            "exported: \((["\(origin.moment)"] + who).joined(separator: " ")), head at event \(origin.head.seq)",
        ]
        if let filter = trailer.filter { notes.append("filter:   \(filter.text)") }
        if outcome == .intact, let key {
            notes.append("signed:   the head, by key \(key.id)")
        } else if outcome == .intact {
            notes.append(
                "Nothing in a file shows that its end is the history's: compare the head with the journal, an anchor or a signature."
            )
        }
        return notes
    }

    /// One object: verdict, and what belongs to it.
    var json: JSONValue {
        var reason: String?
        if case .cannotTell(let why) = outcome { reason = why }
        return [
            "verdict": .string(word), "count": .integer(count), "links": .integer(links),
            "seq": JSONValue(findings.first?.seq), "reason": JSONValue(reason),
            "head": JSONValue(trailer.map { Hex.text($0.origin.head.hash) }), "trailer": trailer?.json ?? .null,
            "findings": .array(
                findings.map {
                    ["kind": .string($0.kind.rawValue), "seq": JSONValue($0.seq), "what": .string($0.what)]
                }),
        ]
    }

    /// Verdict, seq and words of each finding.
    var rows: [[String?]] {
        switch outcome {
        case .intact: [[word, nil, "head \(trailer.map { Hex.text($0.origin.head.hash) } ?? "")"]]
        case .tampered: findings.map { [$0.kind.rawValue, $0.seq.map(String.init), $0.what] }
        case .cannotTell(let why): [[word, nil, why]]
        }
    }
}
