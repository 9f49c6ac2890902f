public import Audit

/// A head of the chain that was kept outside of the database, and what is known of who kept it.
public struct WitnessedHead: Sendable, Equatable {
    /// Where it was kept.
    public enum Place: String, Sendable {
        /// The anchor file in the daemon's state directory.
        case stateDirectory = "state_directory"
        /// The journal, in an entry of a trusted user's.
        case journal
    }

    /// What its signature is worth.
    public enum Seal: Sendable, Equatable {
        /// It has none, or one of another key, or none was asked for.
        case none
        /// It is of the key that was asked for.
        case valid
        /// It names that key, which did not make it.
        case broken
    }

    /// The event's number and hash.
    public var head: ChainHead
    public var place: Place
    /// Whether it was made later than right after the commit.
    public var isLate: Bool
    /// Whether who kept it has not written the event, and only found it.
    public var isForeign: Bool
    public var seal: Seal
    /// The host that wrote it, where its place says so.
    public var host: String?

    /// A head from its parts.
    public init(
        _ head: ChainHead, _ place: Place, isLate: Bool = false, isForeign: Bool = false, seal: Seal = .none,
        host: String? = nil
    ) {
        self.head = head
        self.place = place
        self.isLate = isLate
        self.isForeign = isForeign
        self.seal = seal
        self.host = host
    }

    /// Where it was found, in words.
    var origin: String {
        guard place == .journal else { return "the state directory" }
        return host.map { "the journal of host '\($0)'" } ?? "the journal"
    }
}
