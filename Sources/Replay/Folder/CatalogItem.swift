internal import Reporting

/// One thing that a catalog says of an object: that it is there, a column, a right, the text of a function.
///
/// What two databases with the same schema may have otherwise is no part of it: owners and what those may do by themselves, who granted a right, the
/// order of columns, versions of extensions.
public struct CatalogItem: Sendable, Hashable {
    /// An object by its class and name, as `catalog_object` has them.
    public struct Object: Sendable, Hashable, Comparable {
        /// `table`, `index`, `function` …
        public var kind: String
        /// Its name with its schema.
        public var name: String

        /// An object from what `catalog_object` calls it.
        public init(kind: String, name: String) {
            self.kind = kind
            self.name = name
        }

        // The server compares names by their bytes.
        public static func == (left: Object, right: Object) -> Bool {
            left.kind == right.kind && left.name.exact == right.name.exact
        }

        public static func < (left: Object, right: Object) -> Bool {
            left.kind != right.kind ? left.kind < right.kind : left.name.exact < right.name.exact
        }

        public func hash(into hasher: inout Hasher) {
            hasher.combine(kind)
            hasher.combine(name.exact)
        }

        /// Both, as a person names it: `table public.users`.
        public var words: String { "\(kind) \(name)" }
    }

    /// Of which object.
    public var object: Object
    /// What is said of it, on one line or several; empty for its being there at all.
    public var text: String

    public static func == (left: CatalogItem, right: CatalogItem) -> Bool {
        left.object == right.object && left.text.exact == right.text.exact
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(object)
        hasher.combine(text.exact)
    }

    /// What one row of `catalog_object` says.
    static func all(_ object: Object, _ definition: String) -> [CatalogItem] {
        var lines = definition.split(separator: "\n", omittingEmptySubsequences: false)
        var owner = ""
        var rights: Substring?
        // The last lines are the server's own, whatever text stands before them.
        while let last = lines.last {
            if last.hasPrefix("rights "), rights == nil {
                rights = last.dropFirst(7)
            } else if last.hasPrefix("owner "), owner.isEmpty, object.kind.hasOwner {
                owner = String(last.dropFirst(6))
            } else {
                break
            }
            lines.removeLast()
        }
        // Properties of what other rows say is there are there one by one.
        var texts = object.kind == "properties" ? [] : [""]
        switch object.kind {
        case "table", "foreign table", "type", "domain", "properties", "publication", "operator family",
            "text search configuration":
            for line in lines {
                let (column, granted) = CatalogItem.withoutRights(line)
                texts.append(String(column))
                let name = column.split(separator: " ", maxSplits: 2).prefix(2).joined(separator: " ")
                texts += AccessList.rights(granted, of: owner).map { "\(name): \($0)" }
            }
        case "sequence":
            texts += lines.map { line in
                guard line.hasPrefix("belongs to "), let end = line.firstRange(of: " column ") else {
                    return String(line)
                }
                return String(line[..<end.lowerBound])
            }
        case "extension": texts.append(lines.joined(separator: "\n").behind(" in schema "))
        default: texts.append(lines.joined(separator: "\n"))
        }
        texts += AccessList.rights(rights ?? object.kind.builtInRights, of: owner)
        return texts.map { CatalogItem(object: object, text: $0) }
    }

    /// A column's line, and the rights behind it.
    private static func withoutRights(_ line: Substring) -> (Substring, Substring) {
        guard line.hasPrefix("column "), let range = line.ranges(of: " rights ").last,
            line[range.upperBound...].contains("/")
        else { return (line, "") }
        return (line[..<range.lowerBound], line[range.upperBound...])
    }
}

extension String {
    /// Whether `catalog_object` ends such an object's definition with its owner.
    fileprivate var hasOwner: Bool {
        !["constraint", "index", "trigger", "policy", "rule", "extension", "event trigger"].contains(self)
    }

    /// What everybody may do with such an object where no rights are written down (PostgreSQL manual 5.7).
    fileprivate var builtInRights: Substring {
        switch self {
        case "function", "procedure", "aggregate": "=X/"
        case "type", "domain": "=U/"
        default: ""
        }
    }

    fileprivate func behind(_ word: String) -> String {
        firstRange(of: word).map { String(self[$0.upperBound...]) } ?? self
    }
}

/// PostgreSQL's text of an access control list (manual 5.7): `grantee=privileges/grantor`, each behind a comma.
private enum AccessList {
    /// A line for each privilege of each grantee that is not `owner`.
    static func rights(_ text: Substring, of owner: String) -> [String] {
        var rights: [String] = []
        for entry in entries(text) {
            guard let equals = place(of: "=", in: entry) else { continue }
            let grantee = String(entry.unicodeScalars[..<equals])
            if !owner.isEmpty, [owner, Quoting.identifier(owner)].exact.contains(grantee.exact) { continue }
            var privileges: [String] = []
            for letter in entry.unicodeScalars[equals...].dropFirst().prefix(while: { $0 != "/" }) {
                // A star is the right to grant the one before it.
                privileges.append(letter == "*" ? (privileges.last ?? "") + "*" : String(letter))
            }
            rights += privileges.map { "right \(grantee)=\($0)" }
        }
        return rights
    }

    /// Split at `, `, not within quotes.
    private static func entries(_ text: Substring) -> [Substring] {
        var entries: [Substring] = []
        var rest = text
        while !rest.isEmpty {
            guard let comma = place(of: ",", in: rest) else { break }
            entries.append(Substring(rest.unicodeScalars[..<comma]))
            rest = Substring(rest.unicodeScalars[comma...].dropFirst().drop { $0 == " " })
        }
        return rest.isEmpty ? entries : entries + [rest]
    }

    /// Looked for among scalars: a name's combining mark makes one Character with the sign beside it.
    private static func place(of sign: Unicode.Scalar, in text: Substring) -> Substring.Index? {
        var isQuoted = false
        return text.unicodeScalars.indices.first { index in
            let scalar = text.unicodeScalars[index]
            if scalar == "\"" { isQuoted.toggle() }
            return scalar == sign && !isQuoted
        }
    }
}
