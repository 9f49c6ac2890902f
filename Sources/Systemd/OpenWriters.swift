internal import Reporting

/// Which files are being written, as far as events tell: opened by their creation or a write, closed by the end of the writing.
struct OpenWriters {
    /// A writer that is silent for that long is forgotten: its end may have been missed, or it never was one (a file cut by truncate(2)).
    static let patience = TimeSpan.seconds(60)

    private var lastEvents: [String: Instant] = [:]

    /// Something happened to `path`.
    mutating func note(_ mask: InotifyEvent.Mask, _ path: String, now: Instant) {
        if !mask.isDisjoint(with: [.closeWrite, .movedTo, .movedFrom, .delete]) {
            lastEvents[path] = nil
        } else if !mask.isDisjoint(with: [.create, .modify]) || lastEvents[path] != nil {
            lastEvents[path] = now
        }
    }

    /// `path` turned out to be nothing that is written.
    mutating func forget(_ path: String) { lastEvents[path] = nil }

    /// The files that are being written, relative paths.
    func paths(now: Instant) -> Set<String> {
        Set(lastEvents.filter { now - $0.value < OpenWriters.patience }.keys)
    }

    /// Whether `path` is among them.
    func contains(_ path: String) -> Bool { lastEvents[path] != nil }
}
