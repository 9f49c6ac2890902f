/// A value as somebody wrote it: in the file, typed as TOML types it, or as the text of a flag.
enum WrittenValue: Sendable, Equatable {
    /// The text that followed a flag; which type it means is the key's business.
    case flag(String)
    case string(String)
    case integer(Int)
    case boolean(Bool)
    case strings([String])
    /// Anything that no key accepts, with its name and article: "an array".
    case other(String)

    /// What kind of value it is, for "… cannot be a string".
    var kind: String {
        switch self {
        case .flag: "what was given"
        case .string: "a string"
        case .integer: "an integer"
        case .boolean: "a boolean"
        case .strings: "an array of strings"
        case .other(let kind): kind
        }
    }

    /// The value itself, in quotes, where it is short enough to say.
    var shown: String {
        switch self {
        case .flag(""), .string(""): "empty"
        case .flag(let text), .string(let text): "'\(text)'"
        case .integer(let number): "'\(number)'"
        case .boolean(let value): "'\(value)'"
        case .strings(let list): "[" + list.map { "'\($0)'" }.joined(separator: ", ") + "]"
        case .other(let kind): kind
        }
    }
}
