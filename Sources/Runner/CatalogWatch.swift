internal import Audit
internal import Configuration
internal import JSON
internal import Migrations

/// What a process knows of the catalog between its readings.
///
/// Each file that changes objects has a reading of its own, of those objects alone. That is true only where everything before is read: where it is
/// not, the next reading is of the whole catalog.
final class CatalogWatch {
    /// Patterns of the objects that are left out (`catalog-ignore`).
    let ignored: [String]
    /// Whether the readings tell how migrated has left each object.
    var isKnown = false

    /// The number of the transaction that would be the next one to write, if nobody else had written since the last file's began; nil where that is not
    /// known.
    var expected: Int64?
    /// Compares everything with the readings, and records what others have changed.
    var compare: () throws(RunFailure) -> Void = {}

    /// Nil where the catalog is not read.
    init?(_ settings: Settings) {
        guard settings.catalogDrift == .report else { return nil }
        ignored = settings.catalogIgnore
    }

    /// Takes note of what was recorded with a reading.
    func noted(_ records: [AuditRecord]) {
        guard let catalog = records.lazy.compactMap({ $0.event.detail["catalog"] }).last else { return }
        isKnown = catalog["unread"] == nil
    }
}
