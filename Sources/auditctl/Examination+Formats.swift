internal import Audit
internal import AuditReading
internal import Digest
internal import JSON
internal import Reporting
internal import Systemd

extension Examination {
    /// The exit status: nothing is said to be intact by a key that has signed none of it.
    func status(needsSignature: Bool) -> ExitStatus {
        switch verdict {
        case .intact: needsSignature && testimony.signed == 0 ? .cannotTell : .done
        case .tampered: .failed
        case .cannotTell: .cannotTell
        }
    }

    /// What the history was held against, one line each.
    func notes(_ found: WitnessOptions.Found?) -> [String] {
        guard let found, !testimony.isEmpty else { return [] }
        var anchors = "anchors: \(testimony.inStateDirectory) in the state directory"
        if testimony.inJournal > 0 { anchors += ", \(testimony.inJournal) in the journal" }
        if testimony.late > 0 { anchors += ", \(testimony.late) of them late" }
        if !found.units.isEmpty { anchors += "; written by \(found.units.sorted().joined(separator: ", "))" }
        var notes = [anchors]
        if let key = found.key { notes.append("signatures: \(testimony.signed) of key \(key.id)") }
        for (event, lost) in testimony.acknowledged {
            notes.append(
                "acknowledged: events \(lost.lowerBound) to \(lost.upperBound) were lost once; event \(event) says who accepts that"
            )
        }
        return notes
    }

    /// One object: verdict, and what belongs to it.
    func json(_ found: WitnessOptions.Found?) -> JSONValue {
        var members: [String: JSONValue] = ["verdict": .string(word), "findings": []]
        switch verdict {
        case .intact(let count, let head):
            members["count"] = .integer(count)
            members["head"] = .string(Hex.text(head))
        case .tampered(let findings):
            members["seq"] = JSONValue(findings.first?.seq)
            members["findings"] = .array(
                findings.map {
                    ["kind": .string($0.kind.rawValue), "seq": JSONValue($0.seq), "what": .string($0.what)]
                })
        case .cannotTell(let error): members["reason"] = .string(error.complaint.message)
        }
        members["warnings"] = .array((warnings + (found?.ignoredWords ?? [])).map(JSONValue.string))
        if let found {
            members["witnesses"] = [
                "last_anchored_seq": JSONValue(testimony.lastAnchored),
                "state_directory": .integer(Int64(testimony.inStateDirectory)),
                "journal": .integer(Int64(testimony.inJournal)), "late": .integer(Int64(testimony.late)),
                "signed": .integer(Int64(testimony.signed)), "key": JSONValue(found.key?.id),
                "ignored": .integer(Int64(found.ignored.values.reduce(0, +))),
                "units": .array(found.units.sorted().map(JSONValue.string)),
                "epoch": .integer(Int64(found.log.epoch)),
                "acknowledged": .array(
                    testimony.acknowledged.map { event, lost in
                        [
                            "seq": .integer(event), "lost_from": .integer(lost.lowerBound),
                            "lost_to": .integer(lost.upperBound),
                        ]
                    }),
            ]
        }
        return .object(members)
    }

    /// Verdict, seq and words of each finding.
    var rows: [[String?]] {
        let warned = warnings.map { ["warning", nil, $0] as [String?] }
        return switch verdict {
        case .intact(_, let head): [[word, nil, "head \(Hex.text(head))"]] + warned
        case .tampered(let findings): findings.map { [$0.kind.rawValue, $0.seq.map(String.init), $0.what] } + warned
        case .cannotTell(let error): [[word, nil, error.complaint.message]]
        }
    }
}

extension WitnessOptions.Found {
    /// Whose journal entries were not believed, and how many.
    var ignoredWords: [String] {
        ignored.sorted { $0.key < $1.key }.map { user, count in
            let name = user == .max ? "nobody that the journal names" : Process.userName(of: user) ?? "user \(user)"
            return "\(count) journal entries about this history were written by \(name): ignored"
        }
    }
}
