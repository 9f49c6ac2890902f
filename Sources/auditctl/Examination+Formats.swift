internal import Audit
internal import AuditReading
internal import Digest
internal import JSON
internal import Reporting
internal import Systemd

extension Examination {
    /// The exit status.
    var status: ExitStatus {
        switch verdict {
        case .intact: .done
        case .tampered: .failed
        case .cannotTell: .cannotTell
        }
    }

    /// What the history was held against, one line each.
    func notes(_ found: WitnessesFound?) -> [String] {
        guard let found else { return [] }
        var notes: [String] = []
        if !testimony.isEmpty {
            var anchors = "anchors: \(testimony.inStateDirectory) in the state directory"
            if testimony.inJournal > 0 { anchors += ", \(testimony.inJournal) in the journal" }
            if testimony.late > 0 { anchors += ", \(testimony.late) of them late" }
            if let units = found.journal?.units, !units.isEmpty {
                anchors += "; written by \(units.sorted().joined(separator: ", "))"
            }
            notes.append(anchors)
        }
        if let journal = found.journal { notes.append(journal.note) }
        if let key = found.key { notes.append("signatures: \(testimony.signed) of key \(key.id)") }
        for (event, lost) in testimony.acknowledged {
            notes.append(
                "acknowledged: events \(lost.lowerBound) to \(lost.upperBound) were lost once; event \(event) says who accepts that"
            )
        }
        return notes
    }

    /// One object: verdict, and what belongs to it.
    func json(_ found: WitnessesFound?) -> JSONValue {
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
        members["warnings"] = .array(warnings.map(JSONValue.string))
        members["notes"] = .array(reach.map(JSONValue.string))
        if let found { members["witnesses"] = json(of: found) }
        return .object(members)
    }

    private func json(of found: WitnessesFound) -> JSONValue {
        var members: [String: JSONValue] = [
            "last_anchored_seq": JSONValue(testimony.lastAnchored),
            "state_directory": .integer(Int64(testimony.inStateDirectory)),
            "journal": .integer(Int64(testimony.inJournal)), "late": .integer(Int64(testimony.late)),
            "signed": .integer(Int64(testimony.signed)), "key": JSONValue(found.key?.id),
            "epoch": .integer(Int64(found.state.log.epoch)),
        ]
        members["required"] = .array(found.required.map(\.rawValue).sorted().map(JSONValue.string))
        members["silent"] = .array(
            found.silences.map { ["source": .string($0.source.rawValue), "why": .string($0.why)] })
        members["acknowledged"] = .array(
            testimony.acknowledged.map { event, lost in
                [
                    "seq": .integer(event), "lost_from": .integer(lost.lowerBound),
                    "lost_to": .integer(lost.upperBound),
                ]
            })
        let journal = found.journal
        members["units"] = .array((journal?.units ?? []).sorted().map(JSONValue.string))
        members["hosts"] = .array((journal?.hosts ?? []).sorted().map(JSONValue.string))
        members["ignored"] = .integer(Int64(journal?.countIgnored ?? 0))
        members["journal_files"] = JSONValue(journal.map { Int64($0.files.count) })
        members["sealed_files"] = JSONValue(journal.map { Int64($0.files.sealed) })
        members["unread_files"] = JSONValue(journal.map { Int64($0.files.failures.count) })
        return .object(members)
    }

    /// Verdict, seq and words of each finding.
    var rows: [[String?]] {
        let warned =
            warnings.map { ["warning", nil, $0] as [String?] } + reach.map { ["note", nil, $0] as [String?] }
        return switch verdict {
        case .intact(_, let head): [[word, nil, "head \(Hex.text(head))"]] + warned
        case .tampered(let findings): findings.map { [$0.kind.rawValue, $0.seq.map(String.init), $0.what] } + warned
        case .cannotTell(let error): [[word, nil, error.complaint.message]] + warned
        }
    }
}
