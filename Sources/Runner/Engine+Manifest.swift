internal import JSON
internal import Migrations
internal import Postgres
internal import Reporting

extension Engine {
    /// Why the manifest of `snapshot` allows nothing on this database now; nil where it allows what it lists, and where none is demanded.
    ///
    /// What decides is asked of the history each time: under the lock it cannot change before the file's `started`.
    func manifestRefusal(_ snapshot: MigrationDirectory.Snapshot) throws(RunFailure) -> Finding? {
        switch snapshot.manifest {
        case nil: return nil
        case .failure(let finding)?: return finding
        case .success(let signed)?:
            // A scratch database has a history of its own for as long as it lives; the files in it are those that were signed.
            if isInScratch { return nil }
            guard try store.installedVersion(try sessions.books()) != nil else {
                return ManifestCheck.finding(
                    .manifestRefused,
                    Complaint(
                        .permission, "the database has no history yet, and a manifest names one",
                        hint:
                            "Make it with 'migrated init', or with 'migrated apply', which will run nothing; then have a manifest signed for it."
                    ))
            }
            let found = try history.manifestHistory(from: signed.manifest.fromHead)
            return signed.manifest.refusal(on: found, digest: signed.digest).map {
                ManifestCheck.finding(.manifestRefused, $0)
            }
        }
    }

    /// Throws where a manifest is demanded and does not allow what `snapshot` holds.
    func requireManifest(_ snapshot: MigrationDirectory.Snapshot) throws(RunFailure) {
        if let refusal = try manifestRefusal(snapshot) { throw .complaint(refusal.complaint) }
    }
}

extension History {
    /// What a manifest that begins at `head` is compared with.
    func manifestHistory(from head: Manifest.Head?) throws(RunFailure) -> Manifest.History {
        let sessions = store.sessions
        let table = "\(store.schema).migration_rollback_audit"
        let found = try sessions.query(
            sessions.books(),
            """
            SELECT pg_catalog.encode(h.genesis, 'hex'), h.seq,
                   pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                   (SELECT pg_catalog.encode(e.hash, 'hex') FROM \(table) AS e WHERE e.seq = $1::bigint)
              FROM \(store.schema).audit_head AS h
            """, [head.map { .integer($0.seq) }])
        guard !found.rows.isEmpty, let genesis = found.text(0, 0), let seq = found.integer(0, 1),
            let now = found.text(0, 2)
        else { throw store.headMissing }
        return Manifest.History(
            genesis: genesis, seq: seq, hashAtHead: found.text(0, 3), now: now, accepted: try acceptedManifest())
    }

    /// The manifest of the newest attempt that had one; none with a lower serial was taken before it.
    private func acceptedManifest() throws(RunFailure) -> Manifest.Accepted? {
        let sessions = store.sessions
        let found = try sessions.query(
            sessions.books(),
            """
            SELECT seq, detail FROM \(store.schema).migration_rollback_audit
             WHERE event = 'started' AND detail LIKE '%"manifest":{"digest":"sha256:%' ORDER BY seq DESC LIMIT 1
            """)
        guard let row = found.rows.first, let seq = found.integer(0, 0) else { return nil }
        let manifest = History.json(row[1])["manifest"]
        guard let serial = manifest?["serial"]?.integer, let digest = manifest?["digest"]?.string else {
            // Taken for none, it would let an older manifest in.
            throw .complaint(
                Complaint(
                    .configuration, "event \(seq) names a manifest that cannot be read",
                    hint: "Run 'auditctl verify' and 'auditctl show \(seq)'."))
        }
        return Manifest.Accepted(serial: serial, digest: digest, seq: seq)
    }
}
