internal import JSON
internal import Reporting

/// Drizzle's `meta/_journal.json`: which files there are, and in which order.
struct DrizzleJournal {
    struct Entry {
        var tag: String
        /// Where the tag stands in the text.
        var offset: Int
        /// Milliseconds since 1970.
        var when: Int64?
    }

    private(set) var entries: [Entry] = []
    private(set) var findings: [Finding] = []
    private let path: String
    private let bytes: [UInt8]

    /// Reads the journal; throws with line and column where it is no JSON or does not have the form.
    init(_ bytes: [UInt8], path: String) throws(Complaint) {
        self.path = path
        self.bytes = bytes
        let tape: JSONTape
        do { tape = try JSONTape(bytes) } catch {
            throw complaint("the journal is no JSON: \(error.message)", at: error.offset)
        }
        guard let list = tape.member(tape.root, "entries"), tape.kind(list) == .array else {
            throw complaint("the journal has no list 'entries'", at: 0)
        }
        var tags: Set<String> = []
        var latest: (tag: String, when: Int)?
        for element in tape.elements(list) {
            var entry = try entry(tape, element)
            entry.when = tape.member(element, "when").flatMap(tape.integer).map(Int64.init)
            guard tags.insert(entry.tag).inserted else {
                throw complaint("'\(entry.tag)' is listed twice", at: entry.offset)
            }
            entries.append(entry)
            guard let when = tape.member(element, "when").flatMap(tape.integer) else { continue }
            if let latest, when < latest.when { findings.append(older(entry.tag, than: latest.tag)) }
            if when >= latest?.when ?? when { latest = (entry.tag, when) }
        }
    }

    /// A complaint about a place in the journal.
    func complaint(_ message: String, at offset: Int) -> Complaint {
        let place = Place(file: path, offset: offset, in: bytes)
        return Complaint(.badFile, message, place: place, excerpt: Place.line(place.line ?? 1, of: bytes))
    }

    private func entry(_ tape: JSONTape, _ element: Int) throws(Complaint) -> Entry {
        guard let value = tape.member(element, "tag"), tape.kind(value) == .string else {
            throw complaint("a journal entry has no text 'tag'", at: tape.offset(element))
        }
        let entry = Entry(tag: tape.string(value), offset: tape.offset(value))
        // A tag becomes a path: it must be one plain name, so that it cannot lead out of the directory.
        if entry.tag.isEmpty || entry.tag.hasPrefix(".") {
            throw complaint("the tag '\(entry.tag)' is no file name", at: entry.offset)
        }
        if let flaw = FileName.flaw(entry.tag) { throw complaint("the tag '\(entry.tag)' \(flaw)", at: entry.offset) }
        return entry
    }

    private func older(_ tag: String, than other: String) -> Finding {
        Finding(
            .ambiguousOrder, path: tag + ".sql",
            "'\(tag)' runs after '\(other)' although the journal's times say otherwise: drizzle-kit would skip it in silence",
            hint: "Generate the migration again, so that its time is the newest.")
    }
}
