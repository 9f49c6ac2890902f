internal import ArgumentParser
internal import Configuration
internal import Postgres
internal import Reporting
internal import Systemd

/// Whether a verdict is left for node_exporter.
struct MetricsOption: ParsableArguments {
    @Flag(
        name: .long,
        help: "Leave the verdict for node_exporter in a file beside 'metrics-file', where that is configured.")
    var metrics = false

    /// Puts what `body` says beside the daemon's metrics. A file that cannot be written is told of and changes no verdict.
    func leave(_ word: String, _ settings: Settings, _ body: (inout MetricsText) -> Void) {
        guard metrics, let path = settings.metricsFile else { return }
        var text = MetricsText(database: MetricsOption.database(settings))
        body(&text)
        text.metric("migrated_\(word)_timestamp_seconds", "gauge", "When that was found.")
        let now = Timestamp(microseconds: WallClock.now()).unixSeconds
        text.sample("migrated_\(word)_timestamp_seconds", nil, String(now))
        do throws(SystemFailure) {
            try NewFile.put(MetricsOption.file(path, word), Array(text.text.utf8), mode: 0o644)
        } catch {
            Program.complain(error.complaint)
        }
    }

    /// `migrated.verify.prom` beside `migrated.prom`: a file has one writer.
    private static func file(_ path: String, _ word: String) -> String {
        let ending = ".prom"
        return (path.hasSuffix(ending) ? String(path.dropLast(ending.count)) : path) + ".\(word)\(ending)"
    }

    /// The database's name, also where it cannot be reached.
    private static func database(_ settings: Settings) -> String {
        let target = try? ConnectionTarget(settings.auditDatabase ?? settings.database, applicationName: Program.name)
        return target?.database ?? ""
    }
}
