import Reporting
import Testing

@Suite struct `Characters that cannot be seen` {
    @Test(arguments: [
        ("SELECT\u{A0}1", "SELECT<U+00A0>1", "a no-break space (U+00A0) at column 7"),
        ("a\u{200B}b", "a<U+200B>b", "a zero width space (U+200B) at column 2"),
        ("\u{FEFF}", "<U+FEFF>", "a byte order mark (U+FEFF) at column 1"),
        ("é\u{202E}x", "é<U+202E>x", "a right-to-left override (U+202E) at column 2"),
        ("\u{3000}", "<U+3000>", "an ideographic space (U+3000) at column 1"),
        ("\u{E0041}", "<U+E0041>", "a tag latin capital letter a (U+E0041) at column 1"),
    ])
    func `are shown by their code and named`(text: String, shown: String, first: String) {
        #expect(Invisible.shown(text) == shown)
        #expect(Invisible.first(in: text) == first)
    }

    @Test(arguments: ["", "SELECT 1;", "\té\u{301} 中", "a\u{1B}b"])
    func `are not what can be seen, nor ASCII, which has its own escapes`(text: String) {
        #expect(Invisible.shown(text) == text)
        #expect(Invisible.first(in: text) == nil)
    }

    @Test func `stand in an excerpt with the caret below the right place`() {
        let complaint = Complaint(
            .failed, "syntax error", place: Place(file: "a.sql", line: 1, column: 9), excerpt: "A\u{A0}\u{200B}B cdef")
        #expect(
            complaint.lines == [
                "a.sql:1:9: syntax error", "    A<U+00A0><U+200B>B cdef", "                          ^",
            ])
    }
}
