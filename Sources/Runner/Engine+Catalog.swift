internal import Audit
internal import AuditReading
internal import Configuration
internal import JSON
internal import Migrations
internal import Postgres
internal import Reporting

extension Engine {
    /// So many changed objects are told of one by one; the rest are counted.
    private static let toldChanges = 50

    /// A reading of the catalog, where it is looked at.
    var catalogReading: CatalogReading? {
        catalogWatch.map { CatalogReading(ignored: $0.ignored) }
    }

    /// Records which objects of the database have changed since migrated left it, and takes them as they are now: each change is told of
    /// once. Call it only under the lock, and with no attempt open.
    ///
    /// `isKnown`: the attempt that is open has not done anything yet, and everything before it is read.
    func noteCatalogDrift(isKnown: Bool = false) throws(RunFailure) {
        guard let reading = catalogReading else { return }
        if !isKnown {
            catalogWatch?.expected = nil
            catalogWatch?.isKnown = try sessions.query(
                sessions.books(),
                "SELECT coalesce((SELECT s.is_last_word FROM \(store.schema).catalog_state AS s), false)"
            ).isTrue(0, 0)
        }
        let events: [AuditEvent]
        do {
            let found = try sessions.query(
                sessions.books(),
                """
                SELECT c.class, c.object, c.before, c.now, c.total
                  FROM \(store.schema).catalog_drift(\(Engine.toldChanges), $1::text[], $2::boolean) AS c
                """, [.text(Quoting.array(settings.catalogIgnore)), .text(isKnown ? "true" : "false")])
            let actor = try actor()
            let anew = try readAnew(actor)
            guard !found.rows.isEmpty || !anew.isEmpty else { return }
            var told = found.rows.indices.map { row in
                CatalogChange(
                    kind: found.text(row, 0) ?? "", object: found.text(row, 1) ?? "", before: found.text(row, 2),
                    now: found.text(row, 3)
                ).event(by: actor)
            }
            let total = found.rows.isEmpty ? nil : found.integer(0, 4)
            let further = (total ?? 0) - Int64(told.count)
            if further > 0 {
                var event = AuditEvent(.driftDetected, by: actor)
                event.reason = "catalog_changed"
                event.message = "\(further) more object(s) were changed outside of migrated"
                event.detail["further"] = .integer(further)
                told.append(event)
            }
            events = told + anew
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

    /// Why the catalog is read again although nothing was changed, each reported once: another major version of the server, which prints the same
    /// objects in other words, and other patterns of what is left out.
    private func readAnew(_ actor: AuditEvent.Actor) throws(RunFailure) -> [AuditEvent] {
        let state = try sessions.query(
            sessions.books(),
            """
            SELECT s.server, s.server_now, pg_catalog.array_to_json(s.ignored), s.ignored OPERATOR(pg_catalog.=) $1::text[], s.is_last_word
              FROM \(store.schema).catalog_state AS s
            """, [.text(Quoting.array(settings.catalogIgnore))])
        // Behind an end that was not read, the next one takes all of it in.
        guard !state.rows.isEmpty, state.isTrue(0, 4) else { return [] }
        var events: [AuditEvent] = []
        if let before = state.integer(0, 0), let now = state.integer(0, 1), before != now {
            var event = AuditEvent(.driftDetected, by: actor)
            event.reason = "server_changed"
            event.message = """
                the server is PostgreSQL \(now) and the catalog was read last on PostgreSQL \(before): all objects are read again, \
                because each major version prints them in other words
                """
            event.detail = ["server_before": .integer(before), "server_now": .integer(now)]
            events.append(event)
        }
        if !state.isTrue(0, 3) {
            var event = AuditEvent(.driftDetected, by: actor)
            event.reason = "catalog_ignore_changed"
            let patterns = settings.catalogIgnore
            event.message =
                "'catalog-ignore' was changed: "
                + (patterns.isEmpty
                    ? "nothing is left out of the catalog's readings any more"
                    : "left out of the catalog's readings is now \(patterns.map { "'\($0)'" }.joined(separator: ", "))")
            event.detail = ["before": History.json(state.rows[0][2]), "now": .array(patterns.map(JSONValue.string))]
            events.append(event)
        }
        return events
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

extension CatalogChange {
    /// So many lines of a difference stand in an event; `catalog_definition` has all of them.
    private static let lineLimit = 40

    /// The event that tells of it.
    fileprivate func event(by actor: AuditEvent.Actor) -> AuditEvent {
        var event = AuditEvent(.driftDetected, by: actor)
        event.reason = "catalog_changed"
        event.object = object
        event.message = "\(kind) \(object) was \(word) outside of migrated"
        let all = difference
        let further = all.count - CatalogChange.lineLimit
        let told = all.prefix(CatalogChange.lineLimit).map { String($0.prefix(500)) }
        event.detail = [
            "class": .string(kind), "change": .string(word),
            "difference": .array(
                (further > 0 ? told + ["… \(further) more lines"] : told).map(JSONValue.string)),
        ]
        return event
    }
}
