public import Audit
public import Reporting

/// Makes a report of events that are fed in the order of `seq`. No input or output of its own.
public struct ReportBuilder: Sendable {
    private var report = HistoryReport()
    /// Incidents that are open, by version, with their place in the report; those of before the time have none yet.
    private var open: [String: Int] = [:]
    private var earlier: [String: HistoryReport.Incident] = [:]
    /// Where a skip stands in the list, by version, reason and object.
    private var skips: [[String?]: Int] = [:]

    /// So many moments are kept for the timeline.
    private static let mostMoments = 1 << 20

    /// A report of this time.
    public init(since: Timestamp?, until: Timestamp?) {
        report.since = since
        report.until = until
    }

    /// What must be known of the time before: which versions had failed and were not mended.
    public static let earlierEvents: [EventKind] = [
        .failed, .rollbackFailed, .interrupted, .applied, .rolledBack, .resolved, .adopted,
    ]

    /// An event of before the reported time, one of `earlierEvents`.
    public mutating func readEarlier(_ row: HistoryRow) {
        guard let version = row.text(.version) else { return }
        guard row.kind.map(HistoryFilter.failures.contains) ?? false else {
            earlier[version] = nil
            return
        }
        let entry = HistoryReport.Entry(row)
        var incident =
            earlier[version]
            ?? HistoryReport.Incident(first: entry, last: entry, count: 0, mended: nil, beganBefore: true)
        incident.last = entry
        incident.count += 1
        earlier[version] = incident
    }

    /// The next event of the reported time.
    public mutating func read(_ row: HistoryRow) {
        let entry = HistoryReport.Entry(row)
        report.count += 1
        report.kinds[entry.event, default: 0] += 1
        if report.first == nil {
            report.first = entry
            for incident in earlier.values.sorted(by: { $0.first.seq < $1.first.seq }) { begin(incident) }
            earlier = [:]
        }
        report.last = entry
        switch row.kind {
        case .applied, .rolledBack, .adopted, .resolved:
            report.changes.add(entry)
            report.actors[entry.by ?? "?", default: 0] += 1
            note(entry, .changed)
            mend(entry)
        case .failed, .rollbackFailed, .interrupted:
            note(entry, .failed)
            fail(entry)
        case .skipped, .deferred:
            note(entry, .skipped)
            skip(entry)
        case .orphansDeleted, .orphansNullified:
            report.rows.add(entry)
            report.rowsTakenOut &+= max(0, entry.rowCount ?? 0)
            note(entry, .rows)
        case .orphansRestored:
            report.rows.add(entry)
            report.rowsRestored &+= max(0, entry.rowCount ?? 0)
            note(entry, .rows)
        case .driftDetected, .anchorGap:
            report.drift.add(entry)
            note(entry, .drifted)
        default: break
        }
    }

    /// The report, after everything was fed.
    public mutating func finish() -> HistoryReport {
        if report.first == nil {
            for incident in earlier.values.sorted(by: { $0.first.seq < $1.first.seq }) { begin(incident) }
            earlier = [:]
        }
        return report
    }

    private mutating func note(_ entry: HistoryReport.Entry, _ category: HistoryReport.Category) {
        guard report.moments.count < ReportBuilder.mostMoments else { return }
        report.moments.append((entry.moment.microseconds, category))
    }

    private mutating func begin(_ incident: HistoryReport.Incident) {
        guard report.incidents.count < HistoryReport.List<HistoryReport.Incident>.limit else { return }
        open[incident.first.version ?? ""] = report.incidents.count
        report.incidents.append(incident)
    }

    private mutating func fail(_ entry: HistoryReport.Entry) {
        if let place = open[entry.version ?? ""] {
            report.incidents[place].last = entry
            report.incidents[place].count += 1
        } else {
            begin(HistoryReport.Incident(first: entry, last: entry, count: 1, mended: nil, beganBefore: false))
        }
    }

    private mutating func mend(_ entry: HistoryReport.Entry) {
        // That an operator asks for another attempt mends nothing yet.
        guard entry.reason != "retry", let place = open.removeValue(forKey: entry.version ?? "") else { return }
        report.incidents[place].mended = entry
    }

    private mutating func skip(_ entry: HistoryReport.Entry) {
        let key = [entry.event, entry.version, entry.name, entry.reason, entry.object]
        if let place = skips[key] {
            report.skips[place].last = entry
            report.skips[place].count += 1
        } else if report.skips.count < HistoryReport.List<HistoryReport.Skip>.limit {
            skips[key] = report.skips.count
            report.skips.append(HistoryReport.Skip(first: entry, last: entry, count: 1))
        } else {
            report.furtherSkips += 1
        }
    }
}
