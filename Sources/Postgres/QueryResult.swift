/// The rows of one statement, copied out of libpq.
///
/// A cell that the server did not send is null, and a session whose server left one out is lost; see `AnswerShape`.
public struct QueryResult: Sendable {
    /// Column names, in order.
    public let columns: [String]
    /// The rows, in order.
    public let rows: [Row]
    /// The command tag, such as `INSERT 0 5`.
    public let commandTag: String
    private let shape: AnswerShape

    /// Each cell's bytes, nil for null: text, or PostgreSQL's binary form where that was asked for.
    public struct Row: Sendable {
        /// All cells.
        public let cells: [[UInt8]?]
        fileprivate let shape: AnswerShape

        /// The cell of a column; nil for null, and where the server sent no such column.
        public subscript(column: Int) -> [UInt8]? {
            if cells.indices.contains(column) { return cells[column] }
            shape.giveUp()
            return nil
        }
    }

    init(columns: [String], cells: [[[UInt8]?]], commandTag: String, shape: AnswerShape) {
        self.columns = columns
        rows = cells.map { Row(cells: $0, shape: shape) }
        self.commandTag = commandTag
        self.shape = shape
    }

    /// What is larger is no number of ours: far beyond any count or date, and the sum of thirty cannot overflow.
    private static let largest: Int64 = 1 << 58

    /// The number that the command tag states: rows inserted, deleted, updated or selected.
    public var affectedRows: Int64? {
        commandTag.split(separator: " ").last.flatMap { Int64($0) }.flatMap {
            (0..<QueryResult.largest).contains($0) ? $0 : nil
        }
    }

    private func cell(_ row: Int, _ column: Int) -> [UInt8]? {
        if rows.indices.contains(row) { return rows[row][column] }
        shape.giveUp()
        return nil
    }

    /// The text of a cell; nil for null.
    public func text(_ row: Int, _ column: Int) -> String? {
        cell(row, column).map { String(decoding: $0, as: UTF8.self) }
    }
    /// The text of every cell of a row, nil for null.
    public func texts(_ row: Int) -> [String?] {
        guard rows.indices.contains(row) else { return [] }
        return rows[row].cells.indices.map { text(row, $0) }
    }
    /// The integer of a cell in text form; nil for null. Another text, or a number of 2^58 and more, is no answer.
    public func integer(_ row: Int, _ column: Int) -> Int64? {
        guard let text = text(row, column) else { return nil }
        if let number = Int64(text), number.magnitude < QueryResult.largest.magnitude { return number }
        shape.giveUp()
        return nil
    }
    /// Whether a cell in text form is `t`; another text than `t` and `f` is no answer.
    public func isTrue(_ row: Int, _ column: Int) -> Bool {
        guard let cell = cell(row, column) else { return false }
        if cell == [UInt8(ascii: "t")] { return true }
        if cell != [UInt8(ascii: "f")] { shape.giveUp() }
        return false
    }
}

/// A value sent beside a statement's text, never inside it.
public enum Parameter: Sendable, Equatable {
    /// A text, read by the server as the parameter's type.
    case text(String)
    /// The binary form of the parameter's type; for bytea the bytes themselves.
    case bytes([UInt8])

    /// An integer as its decimal text.
    public static func integer(_ value: some BinaryInteger) -> Parameter { .text(String(value)) }
}

/// A NOTICE, WARNING, INFO or LOG that the server sent along.
public struct Notice: Sendable, Equatable {
    /// `NOTICE`, `WARNING`, … as the server's language has it not: the fixed English word.
    public var severity: String
    /// The error code, such as `00000`, or `42P07` for "already exists, skipping".
    public var sqlstate: String
    /// The message: raw, it may hold control characters.
    public var message: String
}

/// A NOTIFY that arrived.
public struct Notification: Sendable, Equatable {
    /// The channel.
    public var channel: String
    /// The payload.
    public var payload: String
    /// The process id of the backend that sent it.
    public var backendPID: Int32
}
