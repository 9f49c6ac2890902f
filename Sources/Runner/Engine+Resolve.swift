internal import Audit
internal import JSON
internal import Migrations
public import Reporting

/// What an operator decides about a version.
public enum Resolution: String, Sendable {
    /// Its effects are there, whoever made them.
    case applied
    /// Nothing of it is there: it is tried again.
    case rolledBack = "rolled_back"
}

extension Engine {
    /// Records an operator's decision about a version, with the reason. Nothing is run.
    ///
    /// Throws `.usage` where no version is meant by `name`, and `.failed` where the decision would change nothing.
    public func resolve(
        _ name: String, as resolution: Resolution, reason: String, lockPatience: TimeSpan
    ) throws(RunFailure) {
        let snapshot = try snapshot()
        try prepareHistory()
        try withLock(patience: lockPatience) { () throws(RunFailure) in
            try recover()
            let states = try history.states()
            var event = try decision(name, snapshot, states)
            let state = states.first { $0.version == event.version }
            // An applied one whose file has changed is accepted as it is now.
            if resolution == .applied, let state, state.status.isApplied, state.checksum == event.checksum {
                throw .complaint(
                    Complaint(.failed, "'\(name)' is applied already", hint: "See 'auditctl show \(name)'."))
            }
            if resolution == .rolledBack, state == nil || state?.status == .rolledBack {
                throw .complaint(
                    Complaint(.failed, "'\(name)' is not applied and has not failed", hint: "See 'auditctl status'."))
            }
            event.reason = resolution.rawValue
            event.message = reason
            try record([event])
        }
    }

    /// Asks for another attempt at what has failed or was rolled back: at one version, or at all of them. Returns their names.
    public func retry(_ name: String?, reason: String? = nil) throws(RunFailure) -> [String] {
        try prepareHistory()
        let snapshot = try snapshot()
        let states = try history.states()
        let waiting = states.filter { $0.status == .failed || $0.status == .rolledBack }
        var events: [AuditEvent] = []
        if let name {
            let event = try decision(name, snapshot, states)
            guard waiting.contains(where: { $0.version == event.version }) else {
                throw .complaint(
                    Complaint(.failed, "'\(name)' does not wait for a retry", hint: "See 'auditctl status'."))
            }
            events = [event]
        } else {
            for state in waiting where state.status == .failed {
                events.append(try decision(state.name, snapshot, states))
            }
        }
        for index in events.indices {
            events[index].reason = "retry"
            events[index].message = reason
        }
        try record(events)
        return events.compactMap(\.name)
    }

    /// An event about the version that `name` means, in the directory or else in the history.
    private func decision(
        _ name: String, _ snapshot: MigrationDirectory.Snapshot, _ states: [VersionState]
    ) throws(RunFailure) -> AuditEvent {
        var event = AuditEvent(.resolved, by: try actor())
        event.direction = .up
        if let state = states.first(where: { $0.name == name || $0.version == name }) {
            event.version = state.version
            event.name = state.name
            event.checksum = state.checksum
        }
        do throws(Complaint) {
            let migration = snapshot.set.migrations[try snapshot.set.index(of: name)]
            event.version = event.version ?? migration.recordedVersion(states)
            event.name = migration.name
            if case .text(let checksum, _) = snapshot.content(of: migration) { event.checksum = checksum }
        } catch {
            // Its file may be gone; the history knows it all the same.
            if event.version == nil { throw .complaint(error) }
        }
        return event
    }
}
