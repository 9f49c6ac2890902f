internal import Reporting

extension Sections {
    /// What the comments at a file's head say to Atlas; nil where the file runs as it is.
    ///
    /// Throws for what would run other statements than the file's: another delimiter, and a checkpoint, which stands for the files before it.
    static func atlas(_ text: [UInt8], path: String) throws(Complaint) -> Sections? {
        var withoutTransaction = false
        for line in TextLines(text) {
            if text.isBlank(line) { continue }
            guard let comment = text.comment(line) else { break }
            let words = comment.text.split(whereSeparator: \.isWhitespace)
            func refused(_ message: String, _ hint: String) -> Complaint {
                MigrationFile.complaint(message, at: line.lowerBound, in: text, path: path, hint: hint)
            }
            switch words.first {
            case "atlas:txmode":
                guard let mode = words.dropFirst().first, ["none", "file", "all"].contains(mode) else {
                    throw refused("'\(comment.text)' is no mode of transactions", "Known are none, file and all.")
                }
                withoutTransaction = mode == "none"
            case "atlas:delimiter" where words.dropFirst() != [";"]:
                throw refused(
                    "Atlas would end statements with another delimiter",
                    "Statements end with ';' here, and a function's body may hold them: take the line out.")
            case "atlas:checkpoint":
                throw refused(
                    "the file is a checkpoint, which stands for the files before it",
                    "Keep the files that it stands for instead, or begin a directory with it and 'migrated adopt' the databases that are there."
                )
            default: break
            }
        }
        return withoutTransaction
            ? Sections(whole: Part(ranges: [0..<text.count], withoutTransaction: true)) : nil
    }
}
