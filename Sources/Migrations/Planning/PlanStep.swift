/// What is to be done with one migration, and why.
public struct PlanStep: Sendable, Equatable {
    /// Why a migration is to run.
    public enum Cause: Sendable, Equatable {
        /// It was never attempted.
        case new
        /// Its last attempt was of another text, which had failed, been interrupted or rolled back.
        case mended(from: String)
        /// Its last attempt of this very text never ended.
        case interrupted
        /// An operator asked for it.
        case retryRequested
        /// Its effects were undone.
        case rolledBack
        /// It is repeatable, and its text differs from the one that was applied, or nobody recorded which that was.
        case changed(from: String?)
    }

    /// What is to be done.
    public enum Action: Sendable, Equatable {
        /// Nothing: it is applied, and its text is the one that was, as far as a checksum was recorded.
        case applied
        /// Nothing: what the other one has done, or is about to do, stands for it too. One of the two is a baseline.
        case covered(by: String)
        /// Nothing but to report: it is applied, and its text has changed since.
        case edited(recorded: String)
        /// Nothing but to record: it is the applied migration `from` under another name, byte for byte, whose own file is missing.
        case renamed(from: String)
        /// Nothing: it was retired.
        case retired
        /// It may not run before somebody has decided what it is.
        case held(Discrepancy)
        /// Nothing but to report: it is applied, and its file can no longer be read.
        case unreadable(Finding)
        /// It is to run, from that position on.
        case pending(resumeAt: ResumePosition, because: Cause)
        /// Its last attempt of this very text failed. It runs again when the text changes or an operator asks.
        case waitsForMending
        /// A rollback undid it. It runs again when the text changes or an operator asks.
        case rolledBack
        /// Somebody has started it and not ended: told only where the lock is not held.
        case running
        /// It would be pending, and an earlier migration, called by its version, holds up the line.
        case blocked(by: String)
        /// It was never attempted and sorts before the applied version `before`: the policy stops it.
        case late(before: String)
        /// A version that it requires is not applied before it.
        case unmetRequirement(String)
        /// It would be pending, and its file cannot be run.
        case invalid(Finding)
        /// It would be pending, and lies behind the version up to which was asked for.
        case beyondLimit
    }

    /// The migration.
    public var migration: Migration
    /// What is to be done with it.
    public var action: Action
    /// The applied version that this one, never attempted, sorts before; the policy lets it run, or stops it.
    public var lateBefore: String?
    /// The applied or retired migration that has the same text.
    public var copyOf: String?
    /// Whether it runs after all versioned ones, and again whenever its text changes.
    public var repeatable: Bool
    /// Whether later ones run although this one does not get applied (`on-failure=continue`).
    public var letsOthersPass: Bool

    /// Whether it is to run.
    public var isPending: Bool { if case .pending = action { true } else { false } }

    /// The audit's word for why it is not run; nil where it is to run, is applied, or nothing is to be recorded.
    public var skipReason: String? {
        switch action {
        case .blocked: "blocked_by_failure"
        case .late: "out_of_order"
        case .unmetRequirement: "unmet_requirement"
        case .invalid(let finding), .unreadable(let finding): finding.reason.rawValue
        case .held(let discrepancy): discrepancy.reason
        case .applied, .covered, .edited, .renamed, .retired, .pending, .waitsForMending, .rolledBack, .running,
            .beyondLimit:
            nil
        }
    }
}
