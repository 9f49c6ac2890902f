/// PostgreSQL's table locks, weakest first (manual, "Explicit Locking", table "Conflicting Lock Modes").
public enum LockMode: String, CaseIterable, Sendable, Comparable {
    case accessShare = "ACCESS SHARE"
    case rowShare = "ROW SHARE"
    case rowExclusive = "ROW EXCLUSIVE"
    case shareUpdateExclusive = "SHARE UPDATE EXCLUSIVE"
    case share = "SHARE"
    case shareRowExclusive = "SHARE ROW EXCLUSIVE"
    case exclusive = "EXCLUSIVE"
    case accessExclusive = "ACCESS EXCLUSIVE"

    /// Whether reading waits for it.
    public var blocksReads: Bool { self == .accessExclusive }

    /// Whether INSERT, UPDATE and DELETE wait for it.
    public var blocksWrites: Bool { self >= .share }

    /// Its number in PostgreSQL's `lockdefs.h`, from 1.
    private var number: Int { (LockMode.allCases.firstIndex(of: self) ?? 0) + 1 }

    init?(number: Int) {
        guard LockMode.allCases.indices.contains(number - 1) else { return nil }
        self = LockMode.allCases[number - 1]
    }

    public static func < (left: LockMode, right: LockMode) -> Bool { left.number < right.number }
}
