/// Text that is compared by its bytes, as PostgreSQL and the kernel compare it.
///
/// Two `String`s are equal to Swift where Unicode calls them canonically equivalent: an "é" in one piece and one in two, a "K" and the sign for
/// kelvins. To the server they are two columns, two literals, two functions. What decides whether the database has what a file or this
/// program says compares in this way.
package struct ExactText: Hashable, Comparable, Sendable {
    private let text: String

    package init(_ text: some StringProtocol) { self.text = String(text) }

    package static func == (left: ExactText, right: ExactText) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

    package static func < (left: ExactText, right: ExactText) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
        // What follows in a list is not part of this one.
        hasher.combine(UInt8(0xFF))
    }
}

extension StringProtocol {
    /// This text, to be compared by its bytes.
    package var exact: ExactText { ExactText(self) }
}

extension Sequence where Element: StringProtocol {
    /// These texts, to be compared by their bytes.
    package var exact: [ExactText] { map(\.exact) }
}
