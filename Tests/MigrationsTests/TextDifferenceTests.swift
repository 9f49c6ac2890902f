import Testing

@testable import Migrations

@Suite struct `In what a changed file differs` {
    @Test(arguments: [
        ("a\nb\n", "a\r\nb\r\n", "only in its line ends (CRLF, applied with LF)"),
        ("a\r\nb\r\n", "a\nb\n", "only in its line ends (LF, applied with CRLF)"),
        ("a\rb\r", "a\nb\n", "only in its line ends (LF, applied with CR)"),
        ("a\nb\n", "a\r\nb\n", "only in its line ends (mixed line ends, applied with LF)"),
        ("a\n", "\u{FEFF}a\n", "only by a byte order mark"),
        ("\u{FEFF}a\n", "a\n", "only by a byte order mark"),
        ("a\nb\n", "\u{FEFF}a\r\nb\r\n", "only by a byte order mark and in its line ends (CRLF, applied with LF)"),
        ("a\n", "a", "only in white space at the end of a line or of the file"),
        ("a\n", "a\n\n\n", "only in white space at the end of a line or of the file"),
        ("a\nb\n", "a \t\nb\n", "only in white space at the end of a line or of the file"),
        (
            "a\nb\n", "a \r\nb\r\n",
            "only in its line ends (CRLF, applied with LF) and in white space at the end of a line or of the file"
        ),
    ])
    func `is told where it is harmless`(applied: String, now: String, words: String) {
        #expect(TextDifference.harmless(applied: Array(applied.utf8), now: Array(now.utf8)) == words)
    }

    @Test(arguments: [
        ("a\nb\n", "a\nb\n"), ("a\nb\n", "a\n b\n"), ("a\nb\n", "a\n\nb\n"), ("a b\n", "a  b\n"), ("a\n", "A\n"),
        ("a\n", ""),
        ("a\nb\n", "ab\n"), ("a\n", "a\u{A0}\n"), ("a\nb", "a b"),
    ])
    func `is not called harmless where more differs, or nothing`(applied: String, now: String) {
        #expect(TextDifference.harmless(applied: Array(applied.utf8), now: Array(now.utf8)) == nil)
    }
}
