/// A version as numeric layouts count: a number of any length, then up to two letters.
///
/// `2` is before `10`, `024` before `024a` before `025`. Leading zeros and the case of the letters make no difference: `1`, `001`
/// and `0001` are one version, and so are `024a` and `024A`. The number may have further parts, as releases have: `3.2.0_50`
/// is behind `3.2.0_1` and before `3.10`, part by part; zeros at the end make no difference either.
public struct Version: Sendable, Hashable {
    /// The number's digits without leading zeros; `0` for zero.
    public let digits: String
    /// The digits of the parts after the first one, written in the same way; the last is not zero.
    public let parts: [String]
    /// The letters after the number, in lower case; empty for most.
    public let letters: String

    /// The version that the whole of `text` writes; nil where it writes none.
    public init?(_ text: some StringProtocol) {
        guard let leading = LeadingNumber(text, parts: true), leading.rest.isEmpty else { return nil }
        self = leading.version
    }

    init(digits: some StringProtocol, parts: [Substring] = [], letters: some StringProtocol) {
        self.digits = Self.significant(digits)
        var parts = parts.map(Self.significant)
        while parts.last == "0" { parts.removeLast() }
        self.parts = parts
        self.letters = letters.lowercased()
    }

    private static func significant(_ digits: some StringProtocol) -> String {
        let significant = digits.drop { $0 == "0" }
        return significant.isEmpty ? "0" : String(significant)
    }
}

extension Version: Comparable {
    /// Whether `left` runs before `right`.
    public static func < (left: Version, right: Version) -> Bool {
        if left.digits != right.digits { return isLess(left.digits, right.digits) }
        if left.parts != right.parts { return left.parts.lexicographicallyPrecedes(right.parts, by: isLess) }
        return left.letters < right.letters
    }

    private static func isLess(_ left: String, _ right: String) -> Bool {
        left.utf8.count != right.utf8.count ? left.utf8.count < right.utf8.count : left < right
    }
}

extension Version: CustomStringConvertible {
    /// The shortest writing: `24a`.
    public var description: String { ([digits] + parts).joined(separator: ".") + letters }
}

/// The number that a file name begins with, and what follows it.
struct LeadingNumber {
    /// As written: `024a`, `0000`, `03.02.00_50`.
    var text: String
    var version: Version
    /// What follows: empty, or beginning with `_` or `-`.
    var rest: Substring

    /// Reads digits, up to two letters, and then the end of the name, `_` or `-`; nil where the name begins otherwise.
    ///
    /// With `parts` the digits may go on as a release's do, `.` and digits; a release may then have a number for each of its files,
    /// `_` and digits up to the end, `_` or `-`. Without a dot `_` ends the number: `1_2_x` is version 1. The limit of the letters keeps
    /// a word that follows its number directly (`001init`) from being taken for a version of its own.
    init?(_ name: some StringProtocol, parts: Bool = false) {
        let whole = Substring(name)
        let digits = whole.digits(after: 0)
        guard !digits.isEmpty else { return nil }
        rest = whole[digits.endIndex...]
        var further: [Substring] = []
        while parts, rest.first == ".", case let next = rest.digits(after: 1), !next.isEmpty {
            further.append(next)
            rest = whole[next.endIndex...]
        }
        if !further.isEmpty, rest.first == "_", case let next = rest.digits(after: 1), !next.isEmpty,
            case let after = whole[next.endIndex...].first, after == nil || after == "_" || after == "-"
        {
            further.append(next)
            rest = whole[next.endIndex...]
        }
        let letters = rest.prefix { $0.isASCII && $0.isLetter }
        rest = whole[letters.endIndex...]
        guard letters.count <= 2, rest.isEmpty || rest.first == "_" || rest.first == "-" else { return nil }
        text = String(whole[..<letters.endIndex])
        version = Version(digits: digits, parts: further, letters: letters)
    }
}

extension Substring {
    /// The ASCII digits that stand behind the first `count` characters.
    fileprivate func digits(after count: Int) -> Substring { dropFirst(count).prefix { $0.isASCII && $0.isNumber } }
}
