public import JSON

/// The syntax tree of a script: libpg_query's JSON, with the place of each statement in it.
///
/// Locations in the tree are byte offsets in the script's text.
public struct SyntaxTree: Sendable {
    /// The whole tree.
    public let tape: JSONTape
    /// For each statement the index in `tape` of its node's fields (the value of `"IndexStmt"` …).
    public let roots: [Int]
    /// For each statement its bytes in the script's text, as `Statement.range`.
    public let ranges: [Range<Int>]
}
