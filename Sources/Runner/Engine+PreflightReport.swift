internal import Checks
internal import Configuration
internal import ForeignKeys
internal import JSON
internal import Reporting
internal import SQLParsing

extension Engine {
    /// What `started` records of what each file meets; nil where there is nothing to say.
    ///
    /// `preflight = catalog` asks the catalog once for all files of a run, and not at all where none of them keeps others waiting: a run
    /// of plain files costs nothing more. What cannot be found out is told of and holds up nothing.
    func preflights(of files: [PreparedFile]) throws(RunFailure) -> [JSONValue?] {
        let none = [JSONValue?](repeating: nil, count: files.count)
        let isWanted = files.map { settings.preflight == .full || $0.holdsUpOthers }
        guard settings.preflight != .no, isWanted.contains(true) else { return none }
        do throws(RunFailure) {
            let found = try lookAhead(
                files, countsOrphans: settings.preflight == .full, sessionAge: .seconds(60))
            let around = found.around.filter { $0.kind != "table" }
            return zip(isWanted, found.files).map { isWanted, remarks in
                let telling = remarks.filter {
                    $0.kind != "statement" || $0.impact?.locks.contains(where: \.isFelt) == true
                }
                guard isWanted, !telling.isEmpty else { return nil }
                return Preflight.report(telling + around)
            }
        } catch {
            guard case .complaint(let complaint) = error else { throw error }
            reporter.say(4, "what the pending files meet could not be found out: \(complaint.message)")
            return none
        }
    }
}

extension Preflight {
    /// The most remarks that are kept with an attempt.
    private static let kept = 40

    /// Remarks as they are kept.
    fileprivate static func report(_ remarks: [Remark]) -> JSONValue {
        // What would fail goes first, so that a bound never cuts it off.
        let ordered = remarks.filter { $0.verdict == .fail } + remarks.filter { $0.verdict != .fail }
        var report: [String: JSONValue] = [
            "failures": .integer(Int64(remarks.count { $0.verdict == .fail })),
            "remarks": .array(ordered.prefix(kept).map(\.keptJSON)),
        ]
        if ordered.count > kept { report["left_out"] = .integer(Int64(ordered.count - kept)) }
        return .object(report)
    }
}

extension Preflight.Remark {
    /// As `json`, without what is empty and without the file's name, which the event has.
    fileprivate var keptJSON: JSONValue {
        guard case .object(let members) = json else { return json }
        return .object(members.filter { $0.key != "migration" && $0.value != .null })
    }
}

extension PreparedFile {
    /// Whether a statement of its own makes those wait who write to a table that an earlier file or somebody else has made.
    fileprivate var holdsUpOthers: Bool {
        // Most files create tables and fill them: their locks need not be worked out.
        guard script.statements.contains(where: { !PreparedFile.harmless.contains($0.node) }) else { return false }
        return StatementImpact.all(in: script).contains { impact in
            impact.locks.contains { !$0.isNew && $0.mode.blocksWrites }
        }
    }

    /// Statements that lock no table that is there for longer than a moment, by their node in the syntax tree.
    private static let harmless: Set<String> = [
        "CreateStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "SelectStmt", "CopyStmt", "CommentStmt", "GrantStmt",
        "DoStmt",
        "CreateFunctionStmt", "CreateSchemaStmt", "CreateEnumStmt", "CreateExtensionStmt", "CreateSeqStmt",
        "CreateTableAsStmt", "VariableSetStmt", "ViewStmt",
    ]
}
