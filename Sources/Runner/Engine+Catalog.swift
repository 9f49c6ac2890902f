internal import Audit
internal import Configuration
internal import JSON
internal import Migrations
internal import Postgres
internal import Reporting

extension Engine {
    /// So many changed objects are told of one by one; the rest are counted.
    private static let toldChanges = 50

    /// A reading of the catalog, where it is looked at.
    var catalogReading: CatalogReading? { settings.catalogDrift == .report ? CatalogReading() : nil }

    /// Records which objects of the database have changed since migrated left it, and takes them as they are now: each change is told of
    /// once. Call it only under the lock, and with no attempt open.
    func noteCatalogDrift() throws(RunFailure) {
        guard let reading = catalogReading else { return }
        let events: [AuditEvent]
        do {
            let found = try sessions.query(
                sessions.books(),
                "SELECT c.class, c.object, c.before, c.now, c.total FROM \(store.schema).catalog_drift(\(Engine.toldChanges)) AS c"
            )
            guard !found.rows.isEmpty else { return }
            let actor = try actor()
            var told = found.rows.indices.map { row in
                CatalogChange(
                    kind: found.text(row, 0) ?? "", object: found.text(row, 1) ?? "", before: found.text(row, 2),
                    now: found.text(row, 3)
                ).event(by: actor)
            }
            let further = (found.integer(0, 4) ?? 0) - Int64(told.count)
            if further > 0 {
                var event = AuditEvent(.driftDetected, by: actor)
                event.reason = "catalog_changed"
                event.message = "\(further) more object(s) were changed outside of migrated"
                event.detail["further"] = .integer(further)
                told.append(event)
            }
            events = told
        } catch .refused(.server(let refusal)) {
            // Somebody holds an object locked, or drops one just now. The run goes on, and takes in what it finds: that is told.
            var event = AuditEvent(.driftDetected, by: try actor())
            event.reason = "catalog_unreadable"
            event.sqlstate = refusal.sqlstate
            event.message = "the catalog cannot be compared: \(refusal.message)"
            try record([event])
            return
        }
        reporter.report(try store.record(events, reading: reading))
        reporter.settle()
    }

    /// The daily look, where no other process is migrating.
    func watchCatalog() throws(RunFailure) {
        guard catalogReading != nil else { return }
        try withLock(patience: .seconds(0)) { () throws(RunFailure) in try noteCatalogDrift() }
    }

    /// Records that the daemon works, with the first reading of the catalog where there is none.
    func recordStart(_ event: AuditEvent) throws(RunFailure) {
        let known = try sessions.query(
            sessions.books(), "SELECT EXISTS (SELECT FROM \(store.schema).catalog_reading)")
        reporter.report(try store.record([event], reading: known.isTrue(0, 0) ? nil : catalogReading))
        reporter.settle()
    }
}
