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
            earlier = try HistoryIdentity.earlier(than: database, schema: schema) {
                (database, file) throws(SystemFailure) in try directory.subdirectory(database).lines(of: file)
            }
        } catch {
            var complaint = error.complaint
            if complaint.status == .permission {
                complaint.hint =
                    "The daemon's group may read its anchors: 'runuser -u migrated -- chmod -R g+rX \(directory.path)', and a user of the group 'migrated'."
            }
            failure = complaint
        }
    }

    /// One that cannot be looked at.
    init(failure: Complaint) { self.failure = failure }
}
