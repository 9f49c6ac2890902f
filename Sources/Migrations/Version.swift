/// A version as numeric layouts count: a number of any length, then up to two letters.
///
/// `2` is before `10`, `024` before `024a` before `025`. Leading zeros and the case of the letters make no difference: `1`, `001`
/// and `0001` are one version, and so are `024a` and `024A`.
public struct Version: Sendable, Hashable {
    /// The number's digits without leading zeros; `0` for zero.
    public let digits: String
    /// The letters after the number, in lower case; empty for most.
    public let letters: String

    /// The version that the whole of `text` writes; nil where it writes none.
    public init?(_ text: some StringProtocol) {
        guard let leading = LeadingNumber(text), leading.rest.isEmpty else { return nil }
        self = leading.version
    }

    init(digits: some StringProtocol, letters: some StringProtocol) {
        let significant = digits.drop { $0 == "0" }
        self.digits = significant.isEmpty ? "0" : String(significant)
        self.letters = letters.lowercased()
    }
}

extension Version: Comparable {
    /// Whether `left` runs before `right`.
    public static func < (left: Version, right: Version) -> Bool {
        if left.digits.utf8.count != right.digits.utf8.count { return left.digits.utf8.count < right.digits.utf8.count }
        if left.digits != right.digits { return left.digits < right.digits }
        return left.letters < right.letters
    }
}

extension Version: CustomStringConvertible {
    /// The shortest writing: `24a`.
    public var description: String { digits + letters }
}

/// The number that a file name begins with, and what follows it.
struct LeadingNumber {
    /// As written: `024a`, `0000`.
    var text: String
    var version: Version
    /// What follows: empty, or beginning with `_` or `-`.
    var rest: Substring

    /// Reads digits, up to two letters, and then the end of the name, `_` or `-`; nil where the name begins otherwise.
    ///
    /// The limit keeps a word that follows its number directly (`001init`) from being taken for a version of its own.
    init?(_ name: some StringProtocol) {
        let whole = Substring(name)
        let digits = whole.prefix { $0.isASCII && $0.isNumber }
        let afterDigits = whole.dropFirst(digits.count)
        let letters = afterDigits.prefix { $0.isASCII && $0.isLetter }
        rest = afterDigits.dropFirst(letters.count)
        guard !digits.isEmpty, letters.count <= 2, rest.isEmpty || rest.first == "_" || rest.first == "-" else {
            return nil
        }
        text = String(digits + letters)
        version = Version(digits: digits, letters: letters)
    }
}
