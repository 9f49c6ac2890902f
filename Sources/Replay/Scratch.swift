internal import ForeignKeys
internal import Reporting

/// The schema in which a statement's object is built beside the real one, to be looked at and rolled back.
///
/// Its name occurs nowhere else, so that the real names can be put back in everything that the server prints.
public struct Scratch: Sendable {
    /// The schema's name: needs no quotes.
    public let name: String
    private var casts: [(printed: String, real: String)] = []
    private var replacements: [(printed: String, real: String)] = []

    /// A scratch schema with a name that nobody else has: `token` is random, of lower-case letters and digits.
    public init(token: String) { name = "migrated_scratch_\(token)" }

    /// An object in it, quoted.
    func qualified(_ object: String) -> String { "\(name).\(Quoting.identifier(object))" }

    /// Says what the scratch schema stands for in what the server prints.
    mutating func stands(for schema: String) { replacements.append(("\(name).", "\(schema).")) }

    /// Says what one object in it stands for; both as the server prints them.
    mutating func object(_ printed: String, standsFor real: String) {
        replacements.insert(("\(name).\(printed)", real), at: 0)
    }

    /// Says how the server prints a whole row of a table in it, which a cast lets pass for one of the real table.
    mutating func casts(_ row: String, to type: String) { casts.append(("(\(row))::\(type)", row)) }

    /// `text` with the real names in it.
    func restored(_ text: String) -> String {
        let text = casts.reduce(text) { text, pair in text.replacing(pair.printed, with: pair.real) }
        guard text.contains(name) else { return text }
        return replacements.reduce(text) { text, pair in text.replacing(pair.printed, with: pair.real) }
    }
}
