internal import Reporting

/// One thing that the catalog says of an object, as PostgreSQL prints it.
public struct Fact: Sendable, Equatable {
    /// What two sets of facts must have in common.
    public enum Group: String, Sendable {
        /// The same on both sides.
        case property
        /// What the file says must hold; what stands there beyond it is let be: storage parameters, a sequence of a column.
        case option
        /// The file's come first, in their order; later ones may follow.
        case column
        /// By its name where the file gives one, otherwise any of the same definition; others may stand beside it.
        case constraint
        /// The file's are there, in their order; others may stand between them: the values of an enumeration.
        case label
    }

    /// Its group.
    public var group: Group
    /// What it is about: `id`, `definition`.
    public var name: String
    /// What it says.
    public var text: String
    /// Another way to say the same.
    public var also: String?
    /// Its place among the others; of a column it tells whether the column is another one of the same name.
    var place: Int?

    /// A fact from its parts.
    public init(_ group: Group, _ name: String, _ text: String, also: String? = nil) {
        self.group = group
        self.name = name
        self.text = text
        self.also = also
    }

    /// From a row of an answer: place, group, name, text, another text.
    init?(row: ArraySlice<String?>, isFile: Bool, in scratch: Scratch? = nil) {
        let row = Array(row)
        guard row.count == 5, let group = row[1].flatMap(Group.init), let name = row[2], let text = row[3] else {
            return nil
        }
        // The scratch schema's name occurs nowhere else.
        let restored = { scratch?.restored($0) ?? $0 }
        // A constraint that is valid serves for one that the file adds NOT VALID, and not the other way round.
        let also = !isFile && group == .constraint ? nil : row[4]
        self.init(group, name, restored(text), also: also.map(restored))
        if self.also == nil, name == "partition of" { self.also = Fact.sorted(bounds: self.text) }
        place = row[0].flatMap { Int($0) }
    }

    /// The values of a list partition in an order of their own: theirs means nothing.
    private static func sorted(bounds text: String) -> String? {
        let words = " FOR VALUES IN ("
        guard let start = text.firstRange(of: words), text.hasSuffix(")") else { return nil }
        var values = [""]
        var isQuoted = false
        for scalar in text[start.upperBound...].unicodeScalars.dropLast() {
            if scalar == "'" { isQuoted.toggle() }
            if scalar == ",", !isQuoted {
                values.append("")
            } else {
                values[values.count - 1].unicodeScalars.append(scalar)
            }
        }
        let sorted = values.map { String($0.drop { $0 == " " }) }.sorted { $0.exact < $1.exact }
        return text[..<start.upperBound] + sorted.joined(separator: ", ") + ")"
    }

    /// Those of the database's facts that are among the file's, under any name.
    static func common(_ file: [Fact], _ database: [Fact]) -> [Fact] {
        database.filter { fact in file.contains { $0.group == fact.group && $0.agrees(with: fact) } }
    }

    /// The name, to be compared by its bytes.
    var key: ExactText { name.exact }

    func agrees(with other: Fact) -> Bool {
        let (mine, others) = (
            [text, also].compactMap(\.self).exact, [other.text, other.also].compactMap(\.self).exact
        )
        return mine.contains(where: others.contains)
    }
}
