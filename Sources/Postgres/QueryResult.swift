/// The rows of one statement, copied out of libpq.
public struct QueryResult: Sendable {
    /// Column names, in order.
    public let columns: [String]
    /// Each cell's bytes, nil for null: text, or PostgreSQL's binary form where that was asked for.
    public let rows: [[[UInt8]?]]
    /// The command tag, such as `INSERT 0 5`.
    public let commandTag: String

    /// The number that the command tag states: rows inserted, deleted, updated or selected.
    public var affectedRows: Int64? { commandTag.split(separator: " ").last.flatMap { Int64($0) } }

    /// The text of a cell; nil for null.
    public func text(_ row: Int, _ column: Int) -> String? {
        rows[row][column].map { String(decoding: $0, as: UTF8.self) }
    }
    /// The integer of a cell in text form; nil for null or another text.
    public func integer(_ row: Int, _ column: Int) -> Int64? { text(row, column).flatMap { Int64($0) } }
    /// Whether a cell in text form is `t`.
    public func isTrue(_ row: Int, _ column: Int) -> Bool { rows[row][column] == [UInt8(ascii: "t")] }
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
