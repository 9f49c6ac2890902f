import ForeignKeys
import Reporting

/// How values of one kind are written: what is accepted, how it is read, how the file and the documentation show it.
struct ValueForm<Value: Sendable>: Sendable {
    /// What is accepted, to follow "Write …" in a hint and to stand alone in the documentation.
    var accepted: String
    /// Whether the form can take values of this TOML type at all; where it cannot, the complaint is about the type.
    var takes: @Sendable (WrittenValue) -> Bool
    /// The value; nil where it is not acceptable.
    var read: @Sendable (WrittenValue) -> Value?
    /// The value as TOML; nil for "not set".
    var written: @Sendable (Value) -> String?
}

extension WrittenValue {
    var isText: Bool {
        switch self {
        case .flag, .string: true
        case .integer, .boolean, .strings, .other: false
        }
    }

    var isNumberOrText: Bool {
        if case .integer = self { true } else { isText }
    }

    /// The characters of a flag or a string.
    var text: String? {
        switch self {
        case .flag(let text), .string(let text): text
        case .integer, .boolean, .strings, .other: nil
        }
    }

    /// The integer, also as the text of a flag.
    var number: Int? {
        switch self {
        case .integer(let number): number
        case .flag(let text): Int(text)
        case .string, .boolean, .strings, .other: nil
        }
    }

    /// What a string of digits and units says; an integer is its own digits.
    var quantity: String? {
        if case .integer(let number) = self { String(number) } else { text }
    }
}

extension ValueForm where Value == String {
    /// Any string.
    static func string(_ accepted: String, where isAccepted: @escaping @Sendable (String) -> Bool = { _ in true })
        -> ValueForm
    {
        ValueForm(
            accepted: accepted, takes: \.isText, read: { value in value.text.flatMap { isAccepted($0) ? $0 : nil } },
            written: { tomlString($0) })
    }
}

extension ValueForm where Value == String? {
    /// Any string that is not empty.
    static func optionalString(_ accepted: String) -> ValueForm {
        ValueForm(
            accepted: accepted, takes: \.isText,
            read: { value in
                guard let text = value.text, !text.isEmpty else { return .none }
                return .some(text)
            },
            written: { $0.map(tomlString) })
    }

    /// A path, which is never empty.
    static var path: ValueForm {
        ValueForm(
            accepted: "a path", takes: \.isText,
            read: { value in
                // Said in full, because here nil could also mean "a path that is not set".
                guard let text = value.text, !text.isEmpty, !text.utf8.contains(0) else { return .none }
                return .some(text)
            },
            written: { $0.map(tomlString) })
    }
}

extension ValueForm where Value == [String] {
    /// An array of strings, of which each is acceptable.
    static func strings(_ accepted: String, where isAccepted: @escaping @Sendable (String) -> Bool) -> ValueForm {
        ValueForm(
            accepted: accepted,
            takes: { value in
                if case .strings = value { true } else { false }
            },
            read: { value in
                guard case .strings(let list) = value, list.allSatisfy(isAccepted) else { return nil }
                return list
            },
            written: { "[" + $0.map(tomlString).joined(separator: ", ") + "]" })
    }
}

extension ValueForm where Value == Bool {
    static var boolean: ValueForm {
        ValueForm(
            accepted: "true or false, without quotes",
            takes: { value in
                switch value {
                case .flag, .boolean: true
                case .string, .integer, .strings, .other: false
                }
            },
            read: { value in
                switch value {
                case .boolean(let value): value
                case .flag("true"), .flag("yes"), .flag("on"): true
                case .flag("false"), .flag("no"), .flag("off"): false
                case .flag, .string, .integer, .strings, .other: nil
                }
            },
            written: { String($0) })
    }
}

extension ValueForm where Value == Bool {
    /// yes or no, as words or as TOML's own booleans.
    static var yesOrNo: ValueForm {
        ValueForm(
            accepted: "'yes' or 'no'",
            takes: { value in
                switch value {
                case .flag, .string, .boolean: true
                case .integer, .strings, .other: false
                }
            },
            read: { value in
                switch value {
                case .boolean(let value): value
                case .flag("yes"), .string("yes"), .flag("true"): true
                case .flag("no"), .string("no"), .flag("false"): false
                case .flag, .string, .integer, .strings, .other: nil
                }
            },
            written: { $0 ? "\"yes\"" : "\"no\"" })
    }
}

extension ValueForm where Value == OrphanLimit {
    /// A number of rows, or a share of the table.
    static var orphanLimit: ValueForm {
        ValueForm(
            accepted: "a number of rows such as '500', or a share of the table such as '10%'", takes: \.isNumberOrText,
            read: { value in value.quantity.flatMap { OrphanLimit($0) } }, written: { tomlString($0.text) })
    }
}

extension ValueForm where Value == Int {
    /// A whole number within bounds.
    static func integer(_ range: ClosedRange<Int>) -> ValueForm {
        ValueForm(
            accepted: "a whole number from \(range.lowerBound) to \(range.upperBound), without quotes",
            takes: { value in
                switch value {
                case .flag, .integer: true
                case .string, .boolean, .strings, .other: false
                }
            },
            read: { value in value.number.flatMap { range.contains($0) ? $0 : nil } },
            written: { String($0) })
    }

    /// A number of bytes, with the suffix K, M or G (powers of 1024) or none.
    static func size(_ range: ClosedRange<Int>) -> ValueForm {
        ValueForm(
            accepted: "a size in bytes from '\(sizeText(range.lowerBound))' to '\(sizeText(range.upperBound))', "
                + "with or without the suffix K, M or G, such as '64M'",
            takes: \.isNumberOrText,
            read: { value in value.quantity.flatMap(size(of:)).flatMap { range.contains($0) ? $0 : nil } },
            written: { tomlString(sizeText($0)) })
    }
}

extension ValueForm where Value == TimeSpan {
    /// A time span within bounds; with `zero`, also 0, which then means what `zero` says.
    static func time(_ range: ClosedRange<TimeSpan>, zero: String? = nil) -> ValueForm {
        let bounds = "a time span from '\(range.lowerBound)' to '\(range.upperBound)', such as '500ms' or '1h 30min'"
        return ValueForm(
            accepted: zero.map { "\(bounds), or 0 \($0)" } ?? bounds, takes: \.isNumberOrText,
            read: { value in
                guard let span = value.quantity.flatMap({ TimeSpan($0) }) else { return nil }
                return range.contains(span) || (zero != nil && span.microseconds == 0) ? span : nil
            },
            written: { tomlString($0.description) })
    }
}

extension ValueForm {
    /// One of the names of an enumeration.
    static func choice() -> ValueForm where Value: RawRepresentable<String> & CaseIterable {
        ValueForm(
            accepted: "one of " + Value.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", "), takes: \.isText,
            read: { value in value.text.flatMap { Value(rawValue: $0) } }, written: { tomlString($0.rawValue) })
    }

    /// One of the names of an enumeration, or 'auto', which leaves the choice open.
    static func choiceOrAuto<Choice>() -> ValueForm
    where Value == Choice?, Choice: RawRepresentable<String> & CaseIterable & Sendable {
        ValueForm(
            accepted: "one of 'auto', " + Choice.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", "),
            takes: \.isText,
            read: { value in
                guard let text = value.text else { return nil }
                if text == "auto" { return .some(nil) }
                return Choice(rawValue: text).map { .some($0) }
            },
            written: { tomlString($0?.rawValue ?? "auto") })
    }
}

private let sizeUnits: [(suffix: String, bytes: Int)] = [("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)]

/// The shortest exact writing of a size.
private func sizeText(_ bytes: Int) -> String {
    for unit in sizeUnits where bytes >= unit.bytes && bytes.isMultiple(of: unit.bytes) {
        return "\(bytes / unit.bytes)\(unit.suffix)"
    }
    return String(bytes)
}

/// The bytes that `text` writes; nil where it is no size or overflows.
private func size(of text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits) else { return nil }
    let suffix = text.dropFirst(digits.count)
    guard !suffix.isEmpty else { return number }
    guard let unit = sizeUnits.first(where: { $0.suffix == suffix.uppercased() }) else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: unit.bytes)
    return overflow ? nil : bytes
}
