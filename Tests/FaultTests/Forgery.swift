/// Messages of protocol 3 (PostgreSQL manual 55.7) that no server of PostgreSQL sends, made of one that it has sent.
struct Forgery: Sendable, CustomStringConvertible {
    var description: String
    var make: @Sendable ([UInt8]) -> [UInt8]

    init(_ description: String, _ make: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        self.description = description
        self.make = make
    }

    /// A whole message: its type, its length, its body.
    static func message(_ type: Character, _ body: [UInt8] = []) -> [UInt8] {
        [type.asciiValue ?? 0] + number(Int32(body.count + 4)) + body
    }

    static func number(_ value: Int32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    static func small(_ value: Int16) -> [UInt8] {
        [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
    }

    /// A row of these cells, nil for null.
    private static func row(_ cells: [[UInt8]?]) -> [UInt8] {
        message(
            "D", small(Int16(cells.count)) + cells.flatMap { number($0.map { Int32($0.count) } ?? -1) + ($0 ?? []) })
    }

    /// A description of so many columns of type text.
    private static func columns(_ count: Int, binary: Bool = false) -> [UInt8] {
        let column =
            Array("x".utf8) + [0] + number(0) + small(0) + number(25) + small(-1) + number(-1) + small(binary ? 1 : 0)
        return message("T", small(Int16(count)) + (0..<count).flatMap { _ in column })
    }

    /// The cells of a DataRow, as far as it is one.
    private static func cells(_ message: [UInt8]) -> Int {
        message.first == 0x44 && message.count > 6 ? Int(message[5]) << 8 | Int(message[6]) : 1
    }

    private static let done = message("C", Array("SELECT 1".utf8) + [0])
    private static let ready = message("Z", Array("I".utf8))
    private static func notice(_ words: String) -> [UInt8] {
        message(
            "N",
            Array("SNOTICE".utf8) + [0] + Array("VNOTICE".utf8) + [0] + Array("C00000".utf8) + [0]
                + Array("M\(words)".utf8) + [0, 0])
    }

    /// What stands in a message's place whatever it is.
    static let all: [Forgery] = [
        Forgery("an empty query") { _ in message("I") },
        Forgery("an empty query and the end") { _ in message("I") + ready },
        Forgery("no column") { _ in columns(0) + row([]) + done },
        Forgery("no column, in a row") { _ in row([]) },
        Forgery("no row") { _ in done },
        Forgery("no row, and the end") { _ in done + ready },
        Forgery("a column too few") { row([[UInt8]?](repeating: Array("1".utf8), count: max(0, cells($0) - 1))) },
        Forgery("a column too many") { row([[UInt8]?](repeating: Array("1".utf8), count: cells($0) + 1)) },
        Forgery("one column of its own") { _ in columns(1) + row([Array("t".utf8)]) + done },
        Forgery("a thousand columns") { _ in columns(1000) + row([[UInt8]?](repeating: nil, count: 1000)) + done },
        Forgery("null alone") { row([[UInt8]?](repeating: nil, count: cells($0))) },
        Forgery("nothing in each cell") { row([[UInt8]?](repeating: [], count: cells($0))) },
        Forgery("words for numbers") { row([[UInt8]?](repeating: Array("'; DROP\u{1B}[2J".utf8), count: cells($0))) },
        Forgery("the smallest number") {
            row([[UInt8]?](repeating: Array("-9223372036854775808".utf8), count: cells($0)))
        },
        Forgery("the largest number") {
            row([[UInt8]?](repeating: Array("9223372036854775807".utf8), count: cells($0)))
        },
        Forgery("a large number") { row([[UInt8]?](repeating: Array("100000000000000000".utf8), count: cells($0))) },
        Forgery("the largest number in binary") {
            row([[UInt8]?](repeating: [0x7F] + [UInt8](repeating: 0xFF, count: 7), count: cells($0)))
        },
        Forgery("the smallest number in binary") {
            row([[UInt8]?](repeating: [0x80] + [UInt8](repeating: 0, count: 7), count: cells($0)))
        },
        Forgery("three bytes") { row([[UInt8]?](repeating: [1, 2, 3], count: cells($0))) },
        Forgery("true") { row([[UInt8]?](repeating: Array("t".utf8), count: cells($0))) },
        Forgery("deep JSON") {
            row(
                [[UInt8]?](
                    repeating: [UInt8](repeating: 0x5B, count: 100_000) + [UInt8](repeating: 0x5D, count: 100_000),
                    count: cells($0)))
        },
        Forgery("no UTF-8") { row([[UInt8]?](repeating: [0xFF, 0xC0, 0x80], count: cells($0))) },
        Forgery("the row a thousand times") { message in (0..<1000).flatMap { _ in message } },
        Forgery("a huge count in the tag") { _ in message("C", Array("SELECT 99999999999999999999".utf8) + [0]) },
        Forgery("a length of its own") { [$0[0]] + number(0x7FFF_FFFF) + $0.dropFirst(5) },
        Forgery("a negative length") { [$0[0]] + number(-5) + $0.dropFirst(5) },
        Forgery("a cell longer than its row") { _ in message("D", small(1) + number(1000) + [1]) },
        Forgery("a cell of negative length") { _ in message("D", small(1) + number(-7)) },
        Forgery("half of it") { Array($0.prefix($0.count / 2)) },
        Forgery("nothing") { _ in [] },
        Forgery("a type that there is not") { _ in message("~", [1, 2, 3]) },
        Forgery("rows to copy") { _ in message("H", [0] + small(0)) },
        Forgery("rows to copy, without end") { _ in
            message("H", [0] + small(0)) + (0..<1000).flatMap { _ in message("d", Array("row\n".utf8)) }
        },
        Forgery("a piece of copied rows") { _ in message("d", [0, 1, 2]) },
        Forgery("a copied row of its own") { _ in message("d", small(23) + number(0x7FFF_FFFF)) },
        Forgery("a copied row of null") { _ in message("d", small(23) + (0..<23).flatMap { _ in number(-1) }) },
        Forgery("a copied row of empty cells") { _ in message("d", small(23) + (0..<23).flatMap { _ in number(0) }) },
        Forgery("a copied row of the largest numbers") { _ in
            message("d", small(23) + (0..<23).flatMap { _ in number(8) + [0x7F] + [UInt8](repeating: 0xFF, count: 7) })
        },
        Forgery("a copied row of the smallest numbers") { _ in
            message("d", small(23) + (0..<23).flatMap { _ in number(8) + [0x80] + [UInt8](repeating: 0, count: 7) })
        },
        Forgery("wants rows") { _ in message("G", [0] + small(0)) },
        Forgery("wants to copy both ways") { _ in message("W", [0] + small(0)) },
        Forgery("asks for a password") { _ in message("R", number(3)) },
        Forgery("lies about itself") { message in
            ["server_version", "client_encoding", "integer_datetimes", "standard_conforming_strings"].flatMap { name in
                Forgery.message("S", Array(name.utf8) + [0] + Array("99999999999.-1".utf8) + [0])
            } + message
        },
        Forgery("ready already") { ready + $0 },
        Forgery("ready, in no state that there is") { _ in message("Z", [0xFF]) },
        Forgery("many notices") { message in (0..<5000).flatMap { notice("number \($0)") } + message },
        Forgery("a notice of control characters") { notice("\u{1B}[2J\r\n\u{7}") + $0 },
        Forgery("a fatal word") { _ in
            message(
                "E",
                Array("SFATAL".utf8) + [0] + Array("VFATAL".utf8) + [0] + Array("C57P01".utf8) + [0]
                    + Array("Mbye".utf8) + [0, 0])
        },
        Forgery("an error at a place that there is not") { _ in
            message(
                "E",
                Array("SERROR".utf8) + [0] + Array("VERROR".utf8) + [0] + Array("C42601".utf8) + [0] + Array("Mno".utf8)
                    + [0] + Array("P-9223372036854775808".utf8) + [0, 0])
        },
        Forgery("an error of nothing") { _ in message("E", [0]) },
        Forgery("a notification of nobody") { message("A", number(-1) + [0, 0]) + $0 },
    ]
}
