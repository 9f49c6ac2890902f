/// What the configuration and the file's directives ask for. The defaults change nothing that PostgreSQL would do.
public struct ForeignKeyPolicy: Sendable, Equatable {
    /// What becomes of rows whose referenced row is missing.
    public enum Orphans: String, Sendable, CaseIterable {
        /// PostgreSQL refuses the key.
        case fail
        /// They are kept in quarantine, then deleted or their reference set to null.
        case clean
        /// They stay and are counted; the key is added NOT VALID where there are any.
        case report
    }

    /// What becomes of a key whose table or column is missing.
    public enum MissingTable: String, Sendable, CaseIterable {
        /// PostgreSQL refuses the key.
        case fail
        /// The key is put off until a later migration creates what is missing.
        case skip
    }

    /// Whether the way back is proved before a cleanup is committed.
    public enum Proof: String, Sendable, CaseIterable {
        /// All rows are put back in a savepoint and compared.
        case always
        case never
    }

    /// In how many transactions a key is added.
    public enum Way: String, Sendable, CaseIterable {
        /// All of it in the file's own: with the file or not at all.
        case oneTransaction = "one-transaction"
        /// Each step in one of its own, so that writers hardly wait; what was begun is taken up again.
        case stepwise
    }

    /// `orphans`.
    public var orphans = Orphans.fail
    /// `missing-table`.
    public var missingTable = MissingTable.fail
    /// `index-foreign-keys`.
    public var indexes = false
    /// `foreign-keys`.
    public var way = Way.oneTransaction
    /// `orphan-limit`.
    public var limit = OrphanLimit.share(percent: 10)
    /// `prove-restore`.
    public var proof = Proof.always
    /// Whether a key that exists with the same definition is passed over.
    public var skipsExisting = false

    /// The defaults.
    public init() {}

    /// Whether every file runs as it is written.
    public var leavesFilesAlone: Bool {
        orphans == .fail && missingTable == .fail && !indexes && !skipsExisting && way == .oneTransaction
    }
}

/// How large a cleanup may be before it fails: nobody's unattended deploy empties a table.
public enum OrphanLimit: Sendable, Equatable {
    /// At most that many rows for one key, in all tables together.
    case rows(Int64)
    /// At most that share of each table.
    case share(percent: Double)

    /// Reads a number of rows, or a share of the table as in `10%`; nil for another text.
    public init?(_ text: some StringProtocol) {
        if text.last == "%", let percent = Double(text.dropLast()), (0...100).contains(percent) {
            self = .share(percent: percent)
        } else if let rows = Int64(text), rows >= 0 {
            self = .rows(rows)
        } else {
            return nil
        }
    }

    /// As it is read: `500`, `10%`.
    public var text: String {
        switch self {
        case .rows(let rows): String(rows)
        case .share(let percent): (percent == percent.rounded() ? String(Int(percent)) : String(percent)) + "%"
        }
    }

    /// Whether `orphans` of `total` rows may be cleaned.
    public func allows(_ orphans: Int64, of total: Int64) -> Bool {
        switch self {
        case .rows(let most): orphans <= most
        case .share(100): true
        case .share(let percent): Double(orphans) * 100 <= Double(total) * percent
        }
    }

    /// How many rows a table must have at least for `orphans` of them to be allowed; nil where that does not matter or is never enough.
    public func enough(for orphans: Int64) -> Int64? {
        guard case .share(let percent) = self, percent > 0, percent < 100 else { return nil }
        return Int64((Double(orphans) * 100 / percent).rounded(.up))
    }

    /// Whether the table must be counted to decide about `orphans`.
    public func needsTotal(for orphans: Int64) -> Bool {
        guard case .share(let percent) = self else { return false }
        return orphans > 0 && percent < 100
    }
}
