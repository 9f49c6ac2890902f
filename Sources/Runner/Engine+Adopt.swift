internal import Audit
internal import Configuration
internal import JSON
public import Migrations
internal import Postgres
public import Reporting
internal import Systemd

/// What is to be taken over.
public enum AdoptionGoal: Sendable {
    /// Another tool's history: of that tool and in that table, as far as they are given; otherwise the one that is there.
    case history(tool: AdoptionTool?, table: String?)
    /// Everything up to a version. A database that is not as the files leave it refuses it, but for what is accepted by name.
    case baseline(String, ScratchChoice, accepted: [String])
}

extension Engine {
    /// Records as adopted what another tool has applied, or everything up to a version. Runs nothing of any file.
    ///
    /// Holds our lock and, while its history is read, the lock under which that tool migrates. All events are one transaction. What is
    /// applied already is left alone, so that a second adoption records nothing new. With `dryRun` nothing is written, not even the
    /// history's schema, and no lock is taken. A baseline that the database does not bear out records nothing: the report says why.
    public func adopt(_ goal: AdoptionGoal, dryRun: Bool, lockPatience: TimeSpan) throws(RunFailure) -> AdoptionReport {
        let snapshot = try snapshot()
        if dryRun {
            let installed = try store.installedVersion(try sessions.books()) != nil
            let adoption = try adoption(goal, snapshot, lockPatience: nil)
            return try report(adoption, snapshot, installed ? try history.states() : [], goal, dryRun: true)
        }
        try prepareHistory()
        return try withLock(patience: lockPatience) { () throws(RunFailure) in
            try recover()
            try noteCatalogDrift()
            let adoption = try adoption(goal, snapshot, lockPatience: lockPatience)
            let report = try report(adoption, snapshot, try history.states(), goal, dryRun: false)
            if report.refusal == nil { try record(report) }
            return report
        }
    }

    private func adoption(
        _ goal: AdoptionGoal, _ snapshot: MigrationDirectory.Snapshot, lockPatience: TimeSpan?
    ) throws(RunFailure) -> Adoption {
        switch goal {
        case .baseline(let version, _, _):
            return try told { () throws(Complaint) in try Adoption(baseline: version, set: snapshot.set) }
        case .history(let tool, let named):
            let read = try read(tool, named, snapshot.set.layout, lockPatience)
            return try told { () throws(Complaint) in
                try Adoption(source: read.table, rows: read.rows, set: snapshot.set) { migration in
                    try? directory.read(migration, in: snapshot).bytes
                }
            }
        }
    }

    /// Finds and reads the other history, under its tool's lock where there is one and `patience` is given.
    private func read(
        _ tool: AdoptionTool?, _ named: String?, _ layout: LayoutName, _ patience: TimeSpan?
    ) throws(RunFailure) -> (table: HistoryTable, rows: [[String?]]) {
        let connection = try sessions.work()
        let catalog = try sessions.query(connection, CatalogTable.query, [.text(CatalogTable.names(named))])
        let tables = CatalogTable.tables(
            catalog.rows.indices.map { row in (0..<4).map { catalog.text(row, $0) ?? "" } })
        let table = try told { () throws(Complaint) in
            guard let found = try HistoryTable.find(in: tables, tool: tool, named: named, layout: layout) else {
                throw Complaint(
                    .configuration, "no history of \(tool?.rawValue ?? "another tool") is there",
                    hint:
                        "Name its table with --history-table SCHEMA.TABLE; or record everything up to a version with --baseline VERSION."
                )
            }
            return found
        }
        let database = try sessions.query(connection, "SELECT pg_catalog.current_database()").text(0, 0) ?? ""
        let keys = patience == nil ? [] : table.lockKeys(database: database)
        if let patience { try take(keys, of: table, patience) }
        let result = try sessions.query(connection, table.query)
        for key in keys {
            try sessions.query(connection, "SELECT pg_catalog.pg_advisory_unlock($1::bigint)", [.integer(key)])
        }
        return (table, result.rows.indices.map { result.texts($0) })
    }

    /// Takes the tool's own lock by the try form. Where a later step fails, the lock ends with our session.
    private func take(_ keys: [Int64], of table: HistoryTable, _ patience: TimeSpan) throws(RunFailure) {
        let end = Instant.now() + patience
        for key in keys {
            while true {
                let taken = try sessions.query(
                    sessions.work(), "SELECT pg_catalog.pg_try_advisory_lock($1::bigint)", [.integer(key)])
                if taken.isTrue(0, 0) { break }
                guard Instant.now() < end else {
                    sessions.dropWork()
                    throw .complaint(
                        Complaint(
                            .tryLater, "\(table.tool.rawValue) is migrating this database",
                            hint: "Try again when it is done; nothing was recorded."))
                }
                try sessions.pause(.milliseconds(100))
            }
        }
    }

    private func report(
        _ adoption: Adoption, _ snapshot: MigrationDirectory.Snapshot, _ states: [VersionState],
        _ goal: AdoptionGoal, dryRun: Bool
    ) throws(RunFailure) -> AdoptionReport {
        var report = report(adoption, snapshot, states, dryRun: dryRun)
        if case .baseline(let version, let scratch, let accepted) = goal {
            if scratch == .none {
                report.evidence = try evidence(adoption.entries.map(\.migration), snapshot)
            } else {
                let last = try told { () throws(Complaint) in try snapshot.set.index(of: version) }
                report.proof = try proof(of: try catalog(), upTo: last, scratch, snapshot)
            }
            report.accepted = accepted
        }
        return report
    }

    /// What an adoption comes to, without a look at the database.
    func report(
        _ adoption: Adoption, _ snapshot: MigrationDirectory.Snapshot, _ states: [VersionState], dryRun: Bool
    ) -> AdoptionReport {
        let known = Dictionary(
            states.map { (snapshot.set.identity(version: $0.version, name: $0.name), $0) },
            uniquingKeysWith: { _, newer in newer })
        var report = AdoptionReport(adoption: adoption, layout: snapshot.set.layout, dryRun: dryRun)
        for entry in adoption.entries {
            if known[entry.migration.identity]?.status.isApplied == true {
                report.alreadyApplied.append(entry.migration.name)
                continue
            }
            // A file that cannot be read is adopted without a checksum: what was applied there is applied all the same.
            let file = try? directory.read(entry.migration, in: snapshot)
            report.adopted.append(
                AdoptionReport.Adopted(entry: entry, version: entry.migration.recordedVersion(states), file: file))
        }
        return report
    }

    /// Records what a report says is adopted, with the files' texts.
    func record(_ report: AdoptionReport) throws(RunFailure) {
        let sources = report.adopted.compactMap { adopted in
            adopted.file.map { store.keep(source: $0.bytes, checksum: $0.checksum) }
        }
        reporter.report(try store.record(try events(report), with: sources, reading: catalogReading))
    }

    private func events(_ report: AdoptionReport) throws(RunFailure) -> [AuditEvent] {
        let actor = try actor()
        return report.adopted.map { adopted in
            var event = AuditEvent(.adopted, by: actor)
            event.version = adopted.version
            event.name = adopted.entry.migration.name
            event.checksum = adopted.file?.checksum
            event.direction = .up
            event.reason = report.reason(adopted.entry)
            event.detail = report.detail(adopted.entry)
            return event
        }
    }
}
