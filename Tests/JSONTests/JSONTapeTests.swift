import JSON
import Testing

@Suite struct `JSON text` {
    @Test func `a document is read into values and written canonically`() throws {
        let tape = try JSONTape(Array(#" {"b" : [1, -2, true, null], "a": "x\n\u00e9\ud83d\ude00", "c":{}} "#.utf8))
        #expect(tape.value(tape.root).text == #"{"a":"x\né😀","b":[1,-2,true,null],"c":{}}"#)
        #expect(tape.member(0, "a").map(tape.string) == "x\né😀")
        #expect(tape.firstKey(0) == "b")
    }

    @Test(arguments: [
        ("", 0), ("{", 1), ("[1,]", 3), ("{\"a\" 1}", 5), ("[1 2]", 3), ("\"abc", 0), ("nul", 0), ("{}}", 2),
        ("{1:2}", 1), ("[}", 1),
    ])
    func `what is not JSON is refused at its byte`(text: String, offset: Int) {
        #expect(throws: JSONSyntaxError.self) { try JSONTape(Array(text.utf8)) }
        do { _ = try JSONTape(Array(text.utf8)) } catch { #expect(error.offset == offset) }
    }

    @Test func `a million levels need no stack`() throws {
        let depth = 1_000_000
        let tape = try JSONTape(
            Array(repeating: UInt8(ascii: "["), count: depth) + Array(repeating: UInt8(ascii: "]"), count: depth))
        #expect(tape.next(0) == depth)
    }

    @Test func `control characters never stand raw in the text`() {
        let all = String(String.UnicodeScalarView((0..<0x20).compactMap(Unicode.Scalar.init)))
        #expect(JSONValue.string(all + "\u{7f}").text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
    }
}
