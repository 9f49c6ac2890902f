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
    /// Its effects are there, and its file is gone for good.
    case retired
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
            var events = [event]
            // What has another name from now on is not missing under its old one.
            if resolution == .applied, let old = try unsignedPlan(snapshot, states).formerName(of: event.name),
                let state = states.first(where: { $0.name == old && $0.status.isApplied })
            {
                events[0].detail["renamed_from"] = .string(old)
                if state.version == event.version { return try record(events) }
                events.insert(retirement(of: state, event), at: 0)
                events[0].detail["renamed_to"] = JSONValue(event.name)
            }
            try record(events)
        }
    }

    /// Asks for another attempt at what has failed or was rolled back: at one version, or at all of them. Returns their names.
    ///
    /// A version may also be a file that is held as a copy, or as an edited form of another one: it then runs. `fromStart`: parts that
    /// are committed run again.
    public func retry(_ name: String?, reason: String? = nil, fromStart: Bool = false) throws(RunFailure) -> [String] {
        try prepareHistory()
        let snapshot = try snapshot()
        let states = try history.states()
        var events: [AuditEvent] = []
        if let name {
            let event = try decision(name, snapshot, states)
            let state = states.first { $0.version == event.version }
            let isWaiting = state?.status == .failed || state?.status == .rolledBack
            let isHeld = isWaiting ? false : try runsOnRetry(event, snapshot, states, fromStart)
            guard isWaiting || isHeld else {
                throw .complaint(
                    Complaint(.failed, "'\(name)' does not wait for a retry", hint: "See 'auditctl status'."))
            }
            events = [event]
        } else {
            for state in states where state.status == .failed {
                events.append(try decision(state.name, snapshot, states))
            }
        }
        for index in events.indices {
            events[index].reason = "retry"
            events[index].message = reason
            if fromStart { events[index].detail["from_start"] = true }
        }
        try record(events)
        return events.compactMap(\.name)
    }

    /// The event that ends what the history knows under a version, for the reason of another event.
    func retirement(of state: VersionState, _ event: AuditEvent) -> AuditEvent {
        var event = event
        event.eventID = UUID()
        event.version = state.version
        event.name = state.name
        event.checksum = state.checksum
        event.reason = Resolution.retired.rawValue
        event.detail = [:]
        return event
    }

    /// Whether a file that is held runs once an operator asks for it.
    private func runsOnRetry(
        _ event: AuditEvent, _ snapshot: MigrationDirectory.Snapshot, _ states: [VersionState], _ fromStart: Bool
    ) throws(RunFailure) -> Bool {
        let step = try unsignedPlan(snapshot, states).steps.first { $0.migration.name == event.name }
        guard case .held(let discrepancy) = step?.action else { return false }
        switch discrepancy {
        case .copy, .renamedAndEdited: return true
        case .committedPartChanged: return fromStart
        case .numberReused, .behindBaseline, .wrongDirectory: return false
        }
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

extension Plan {
    /// The name under which a file is applied, where that is another one.
    fileprivate func formerName(of name: String?) -> String? {
        switch steps.first(where: { $0.migration.name == name })?.action {
        case .renamed(let old), .held(.renamedAndEdited(let old)): old
        default: nil
        }
    }
}
