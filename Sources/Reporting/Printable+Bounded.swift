extension Printable {
    /// Cut to at most `limit` bytes at a character border; a cut text ends in `…`.
    public static func bounded(_ text: String, _ limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var kept = ""
        var size = 3
        for character in text {
            size += character.utf8.count
            if size > limit { break }
            kept.append(character)
        }
        return kept + "…"
    }
}
