internal import Reporting

/// Parses a text, at once or piece by piece.
///
/// The tree of a text takes some fifteen times its size, and the grammar needs as much again while it reads. A large text is therefore cut into
/// its statements; rows of INSERTs are not parsed at all where they are plain values.
struct TextParsing {
    enum Outcome {
        case read(TreeReading)
        /// The grammar's message, and the byte of the text that it points at.
        case refused(message: String, offset: Int?)
        /// The thread could not be started: its error number.
        case noThread(Int32)
    }

    let source: SourceText
    /// Where each COPY begins whose rows follow.
    let copies: Set<Int>
    /// Names of procedures that end transactions.
    let procedures: Set<String>

    /// The bytes of several small statements that are parsed together.
    private static let batch = 64 << 10

    /// Parses the whole text at once; throws where libpg_query would not survive it.
    func atOnce() throws(Complaint) -> Outcome {
        try weigh(0..<source.bytes.count)
        var reading = TreeReading(source, procedures: procedures)
        return try parse(0..<source.bytes.count, into: &reading) ?? .read(reading)
    }

    /// Parses the text in pieces, and keeps no more of their trees than the text takes itself.
    ///
    /// Where the grammar refuses a piece, the whole has the last word, if that can be parsed.
    func inPieces() throws(Complaint) -> Outcome {
        var reading = TreeReading(source, procedures: procedures, room: max(16 << 20, source.bytes.count))
        var cutter = StatementCutter(source.bytes)
        var batch: Range<Int>?
        while true {
            let piece = cutter.next()
            if let open = batch,
                piece.map({ $0.rows != nil || $0.range.upperBound - open.lowerBound > TextParsing.batch }) ?? true
            {
                if let refusal = try parse(weighed: open, into: &reading) { return try settled(refusal) }
                batch = nil
            }
            guard let piece else { return .read(reading) }
            if let rows = piece.rows, try reading.take(rows, of: piece.range) { continue }
            batch = (batch?.lowerBound ?? piece.range.lowerBound)..<piece.range.upperBound
            guard piece.rows != nil, let open = batch else { continue }
            // An INSERT that the grammar has to read after all.
            if let refusal = try parse(weighed: open, into: &reading) { return try settled(refusal) }
            batch = nil
        }
    }

    /// What is refused of a piece, unless the whole can be parsed and says otherwise.
    private func settled(_ refusal: Outcome) throws(Complaint) -> Outcome {
        guard case .refused = refusal else { return refusal }
        let weight = Weight(source.bytes)
        guard weight.depth <= Weight.deepest, weight.output <= Weight.largest / 4 else { return refusal }
        return try atOnce()
    }

    private func parse(weighed part: Range<Int>, into reading: inout TreeReading) throws(Complaint) -> Outcome? {
        try weigh(part)
        return try parse(part, into: &reading)
    }

    /// Takes over what the grammar reads; what it says where it refuses.
    private func parse(_ part: Range<Int>, into reading: inout TreeReading) throws(Complaint) -> Outcome? {
        switch Grammar.parse(Array(source.bytes[part])) {
        case .tree(let json):
            try reading.take(json, of: part)
            return nil
        case .refused(let message, let character):
            return .refused(
                message: message, offset: character > 0 ? source.offset(ofCharacter: character, in: part) : nil)
        case .noThread(let status): return .noThread(status)
        }
    }

    /// Refuses a part of the text that libpg_query would not survive.
    private func weigh(_ part: Range<Int>) throws(Complaint) {
        guard part.count > Weight.harmless else { return }
        let weight = Weight(Array(source.bytes[part]))
        guard weight.depth > Weight.deepest || weight.output > Weight.largest else { return }
        // Rows for psql look like one endless expression: say what they are.
        if let refusal = Refusal.ofClientCommands(source, PlainScan(source.bytes, copies).obstacles, error: nil) {
            throw refusal
        }
        if weight.depth > Weight.deepest {
            throw source.complaint(
                "expression has more than \(Weight.deepest) parts", at: part.lowerBound + weight.deepestAt,
                hint: "Break it up: a parser's stack does not reach that far.")
        }
        throw source.complaint(
            "statement is too large to be parsed: its syntax tree might exceed 1 GB", at: part.lowerBound,
            hint: "Break it up, or load the rows with COPY … FROM STDIN.")
    }
}
