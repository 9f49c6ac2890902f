internal import Audit
public import Reporting
public import Systemd

/// The one place that tells the outside what happened: the journal, and lines on stderr where nobody reads a journal.
///
/// Both are made from the same record that went into the table. Nothing here waits: the journal's queue is bounded and counts what
/// it loses.
public final class Reporter {
    private let journal: JournalWriter
    private let echoes: Bool
    /// What the journal has lost and the history does not know of yet.
    private var untold = 0
    /// What the journal has lost and no entry that is on its way tells of.
    private var unsaid = 0
    /// Further fields of every entry: which database.
    public var context: [(name: String, value: String)] = []

    /// A reporter for that journal; `quiet` keeps lines off stderr even where no journal is.
    public init(journal: JournalWriter, quiet: Bool = false) {
        self.journal = journal
        // By hand or in a container a person reads stderr; under systemd stderr is the journal itself.
        echoes = !quiet && !(JournalStream.isStandardError && journal.isAvailable)
    }

    /// What is kept of the chain outside of the database; nil before there is a history.
    var witness: Witness?
    private var hasMissedAnchor = false
    /// Told as a file's turn comes, and every second while one of its statements runs; nil where nobody looks.
    public var onProgress: ((Progress) -> Void)?
    var progress: Progress?
    /// Told before a line is written to stderr: what stands there unfinished is taken away.
    public var onLine: (() -> Void)?
    /// Who else is told of each event, after the journal.
    var listener: ((AuditRecord) -> Void)?

    /// Events of one commit that are to be told of.
    private var committed: (records: [AuditRecord], isLate: Bool)?

    /// Takes the events of one commit, to be told of as soon as the server has other work to do: with the file's next statements, and at
    /// the latest when something else is told, or settled.
    ///
    /// - Parameter isLate: whether they were committed a while ago, and their anchors are made up for.
    func report(_ records: [AuditRecord], isLate: Bool = false) {
        tell()
        guard let last = records.last else { return }
        committed = (records, isLate)
        witness?.see(last.head)
    }

    /// Tells of what was committed last, in the journal first and then by anchors in the state directory.
    func tell() {
        guard let (records, isLate) = committed, let last = records.last else { return }
        committed = nil
        let signature = witness?.sign(last.head)
        for record in records { report(record, signature: record.seq == last.seq ? signature : nil, isLate: isLate) }
        if !isLate, let listener { records.forEach(listener) }
        FailPoint.beforeAnchor.pass()
        keeping { (witness) throws(SystemFailure) in
            try witness.keep(records.map(\.head), signature: signature, isLate: isLate)
        }
    }

    /// Returns once the anchors of everything that was told of are on disk.
    func settle() {
        tell()
        keeping { (witness) throws(SystemFailure) in try witness.settle() }
    }

    /// Without its witness in the state directory work goes on; that is told once.
    func keeping(_ body: (Witness) throws(SystemFailure) -> Void) {
        guard let witness else { return }
        do throws(SystemFailure) {
            try body(witness)
        } catch {
            guard !hasMissedAnchor else { return }
            hasMissedAnchor = true
            var complaint = error.complaint
            complaint.hint = "Migrations go on; mend the state directory, or the history has one witness less."
            say(4, complaint)
        }
    }

    /// Tells of an event that this host has not announced: whoever reads the journal has it as it was found, and nobody vouches for it.
    func reportForeign(_ record: AuditRecord) {
        report(record, signature: nil, isLate: false, isForeign: true)
    }

    private func report(_ record: AuditRecord, signature: AnchorSignature?, isLate: Bool, isForeign: Bool = false) {
        FailPoint.beforeJournal.pass()
        var fields = record.journalFields + context
        if isLate || isForeign { fields.append(("MIGRATED_ANCHOR", isForeign ? "foreign" : "late")) }
        if let signature { fields.append(("MIGRATED_SIGNATURE", signature.description)) }
        countDropped()
        if unsaid > 0 { fields.append(("MIGRATED_JOURNAL_DROPPED", String(unsaid))) }
        if journal.send(fields) { unsaid = 0 }
        guard echoes else { return }
        line("\(record.sentence) [seq \(record.seq)\(isLate ? ", late anchor" : isForeign ? ", foreign" : "")]")
    }

    /// How many entries the journal has lost since this was last asked.
    func takeDropped() -> Int {
        tell()
        countDropped()
        defer { untold = 0 }
        return untold
    }

    private func countDropped() {
        let dropped = journal.takeDropped()
        untold += dropped
        unsaid += dropped
    }

    /// Tells of something that is no event of the history: waiting, a notice of a migration, a mistake in the directory.
    public func say(_ priority: Int, _ text: String, _ fields: [(name: String, value: String)] = []) {
        let text = Printable.line(text, limit: 4096)
        send(priority, text, fields)
        if echoes { line(text) }
    }

    /// Tells of a complaint, all of its lines.
    public func say(_ priority: Int, _ complaint: Complaint) {
        // Each line is escaped by the complaint itself; the line ends between them are ours.
        let lines = complaint.lines
        send(priority, lines.joined(separator: "\n"), [])
        if echoes { lines.forEach(line) }
    }

    private func send(_ priority: Int, _ message: String, _ fields: [(name: String, value: String)]) {
        tell()
        journal.send(
            [("MESSAGE", message), ("PRIORITY", String(priority)), ("SYSLOG_IDENTIFIER", "migrated")] + context + fields
        )
    }

    /// Hands the journal what is still queued, waiting at most until `end`.
    public func flush(until end: Instant) {
        tell()
        journal.flush(until: end)
    }

    private func line(_ text: String) {
        onLine?()
        do {
            try Process.write(Array("migrated: \(text)\n".utf8), to: 2)
        } catch {
            // Nobody is left to read stderr; the table and the journal have the event.
        }
    }
}
