public import JSON

/// A place in the syntax tree: the fields of one node, as libpg_query names them.
public struct TreeNode: Sendable {
    /// The tree.
    public let tape: JSONTape
    /// The fields' place in it.
    public let index: Int
    /// The byte of the script's text that locations in the tree count from.
    public let base: Int

    /// The fields at `index`.
    public init(tape: JSONTape, index: Int, base: Int = 0) {
        self.tape = tape
        self.index = index
        self.base = base
    }

    /// The string under `key`.
    public func text(_ key: String) -> String? { tape.member(index, key).map(tape.string) }

    /// Whether `key` is there and true.
    public func flag(_ key: String) -> Bool { tape.member(index, key).map(tape.isTrue) ?? false }

    /// The integer under `key`.
    public func integer(_ key: String) -> Int? { tape.member(index, key).flatMap(tape.integer) }

    /// The tokens of the subtree.
    public var tokens: Range<Int> { index..<tape.next(index) }

    /// Whether there is a member `key`.
    public func has(_ key: String) -> Bool { tape.member(index, key) != nil }

    /// The fields under `key`, where its type is fixed.
    public func field(_ key: String) -> TreeNode? {
        tape.member(index, key).map { TreeNode(tape: tape, index: $0, base: base) }
    }

    /// The nodes of the list under `key`, each with its type.
    public func nodes(_ key: String) -> [(type: String, fields: TreeNode)] {
        guard let list = tape.member(index, key) else { return [] }
        return tape.elements(list).compactMap { TreeNode(tape: tape, index: $0, base: base).unwrapped }
    }

    /// The fields of those nodes of the list under `key` that are of `type`.
    public func list(_ key: String, of type: String) -> [TreeNode] {
        nodes(key).filter { $0.type == type }.map(\.fields)
    }

    /// The node under `key`, where its type is open.
    public func node(_ key: String) -> (type: String, fields: TreeNode)? { field(key)?.unwrapped }

    /// What a node of open type is.
    public var unwrapped: (type: String, fields: TreeNode)? {
        guard let type = tape.firstKey(index) else { return nil }
        return (type, TreeNode(tape: tape, index: index + 2, base: base))
    }

    /// The strings of the list under `key`: a name's parts.
    public func strings(_ key: String) -> [String] { list(key, of: "String").compactMap { $0.text("sval") } }

    /// The byte offset in the script's text that the node itself names.
    public var location: Int? { integer("location").flatMap { $0 > 0 ? base + $0 : nil } }

    /// Every object in the subtree that has a member `key`, with that member's index, in the order of the text of the tree.
    /// Walks the flat list of tokens: no recursion, whatever the depth.
    public func descendants(with key: String) -> [TreeNode] {
        var found: [TreeNode] = []
        var at = index
        let end = tape.next(index)
        while at < end {
            if tape.kind(at) == .object, tape.member(at, key) != nil {
                found.append(TreeNode(tape: tape, index: at, base: base))
            }
            at += 1
        }
        return found
    }
}

extension Script {
    /// The fields of a statement's node; nil where the file could not be parsed.
    public func root(_ statement: Int) -> TreeNode? {
        tree?.root(of: statement, statements[statement].range, in: text)
    }
}
