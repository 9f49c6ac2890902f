/// How a migration's text is to be read.
public struct ScriptOptions: Sendable, Equatable {
    /// The text holds Drizzle's `--> statement-breakpoint` markers: SQL comments, at each of which a statement without `;` ends.
    public var breakpoints: Bool
    /// Every statement commits by itself; a block that the file itself opens with BEGIN stays one.
    public var noTransaction: Bool
    /// The text runs in a transaction of somebody else's, and what it does is taken back: its own BEGIN, COMMIT and ROLLBACK are left out, and
    /// what cannot run inside a transaction, or cannot be parsed, is refused.
    public var rollsBack = false
    /// Names of procedures that end transactions: a CALL of one runs outside of any.
    public var committingProcedures: Set<String> = []
    /// What is known of the text beforehand.
    public var notes: [Script.Note] = []
    /// Bytes up to which a text is parsed at once; a larger one in pieces, with the same outcome.
    package var parsedAtOnce = 1 << 20
    /// The largest file that is accepted, in bytes.
    public var sizeLimit: Int

    /// Options from their parts; the size limit is 64 MiB by default.
    public init(breakpoints: Bool = false, noTransaction: Bool = false, sizeLimit: Int = 64 << 20) {
        self.breakpoints = breakpoints
        self.noTransaction = noTransaction
        self.sizeLimit = sizeLimit
    }
}
