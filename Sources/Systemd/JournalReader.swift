internal import CSystemd
internal import Glibc

/// Reads entries of the journal, in the order in which journald got them; see sd-journal(3).
///
/// Only what the reader's user may read is seen: root and the group `systemd-journal` see the entries of services (systemd-journald(8)).
public enum JournalReader {
    /// One entry: the fields that were asked for and that it has, each with its first value. The names that begin with `_` are journald's
    /// own word, which no sender can forge (systemd.journal-fields(7)).
    public typealias Entry = [String: [UInt8]]

    /// Hands over every entry that has all of these fields; a field that stands several times may have any of its values.
    ///
    /// - Parameters:
    ///   - directory: where the journal files lie; nil for this machine's own journal.
    ///   - matches: names, and the values that the field must have.
    ///   - fields: what is read of each entry.
    public static func read(
        directory: String?, matches: [(name: String, value: String)], fields: [String], _ take: (Entry) -> Void
    ) throws(SystemFailure) {
        var library = journal_functions()
        guard unsafe load_journal_functions(&library) else {
            throw SystemFailure("load", path: "libsystemd.so.0", errno: ELIBACC)
        }
        var opened: OpaquePointer?
        let result =
            if let directory { unsafe library.open_directory(&opened, directory, 0) } else {
                unsafe library.open(&opened, Int32(SD_JOURNAL_LOCAL_ONLY))
            }
        try check(result, "open the journal", directory)
        let journal = unsafe opened
        defer { unsafe library.close(journal) }
        // The values that are asked for are short; one that an intruder made long is cut, not loaded.
        try check(unsafe library.set_data_threshold(journal, 65536), "read the journal", directory)
        for match in matches {
            let bytes = Array("\(match.name)=\(match.value)".utf8)
            try check(unsafe library.add_match(journal, bytes, bytes.count), "search the journal", directory)
        }
        while true {
            let next = unsafe library.next(journal)
            try check(next, "read the journal", directory)
            if next == 0 { return }
            var entry: Entry = [:]
            for field in fields {
                var data: UnsafeRawPointer?
                var length = 0
                let found = unsafe library.get_data(journal, field, &data, &length)
                // A field that is not there, or an entry that a crash cut off.
                if found == -ENOENT || found == -EBADMSG { continue }
                try check(found, "read the journal", directory)
                guard let data = unsafe data, length > field.utf8.count else { continue }
                // The data is `NAME=value`.
                let bytes = unsafe Array(UnsafeRawBufferPointer(start: data, count: length))
                entry[field] = Array(bytes.dropFirst(field.utf8.count + 1))
            }
            take(entry)
        }
    }

    private static func check(_ result: Int32, _ operation: String, _ path: String?) throws(SystemFailure) {
        if result < 0 { throw SystemFailure(operation, path: path, errno: -result) }
    }
}
