internal import Audit
internal import Reporting
internal import Systemd

/// What the daemon's state directory says of one history. An auditor need not have the right to look.
struct StateWitness {
    /// Where it is; nil where nothing says so.
    private(set) var path: String?
    private(set) var log = AnchorLog(lines: [])
    /// The anchors of databases that had the history before, each with the last event that is the same, newest first.
    private(set) var earlier: [(predecessor: HistoryIdentity.Predecessor, anchors: [Anchor])] = []
    /// Why it could not be read.
    private(set) var failure: Complaint?

    /// The anchors of the history of `schema` in `database`.
    init(_ directory: StateDirectory, database: String, schema: String) {
        path = directory.path
        let name = AnchorLog.fileName(schema: schema)
        do throws(SystemFailure) {
            log = AnchorLog(lines: try directory.subdirectory(database).lines(of: name))
            earlier = try StateWitness.earlier(directory, database, schema)
        } catch {
            var complaint = error.complaint
            if complaint.status == .permission {
                complaint.hint =
                    "The daemon's group may read its anchors: 'runuser -u migrated -- chmod -R g+rX \(directory.path)', and a user of the group 'migrated'."
            }
            failure = complaint
        }
    }

    private static func earlier(
        _ directory: StateDirectory, _ database: String, _ schema: String
    ) throws(SystemFailure) -> [(predecessor: HistoryIdentity.Predecessor, anchors: [Anchor])] {
        var found: [(predecessor: HistoryIdentity.Predecessor, anchors: [Anchor])] = []
        var open = [HistoryIdentity.Predecessor(database: database, through: .max)]
        while let next = open.popLast() {
            let folder = directory.subdirectory(next.database)
            let identity = HistoryIdentity(lines: try folder.lines(of: HistoryIdentity.fileName(schema: schema)))
            for predecessor in identity.predecessors {
                let through = min(predecessor.through, next.through)
                // A database that was restored in the place of its own successor.
                guard predecessor.database != database,
                    !found.contains(where: { $0.predecessor.database == predecessor.database })
                else { continue }
                let log = AnchorLog(
                    lines: try directory.subdirectory(predecessor.database).lines(
                        of: AnchorLog.fileName(schema: schema)))
                let reached = HistoryIdentity.Predecessor(database: predecessor.database, through: through)
                found.append((reached, log.anchors.filter { $0.head.seq <= through }))
                open.append(reached)
            }
        }
        return found
    }

    /// One that cannot be looked at.
    init(failure: Complaint) { self.failure = failure }
}
