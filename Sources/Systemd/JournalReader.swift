internal import CSystemd
internal import Glibc

/// Reads entries of the journal, in the order in which journald got them; see sd-journal(3).
///
/// Only what the reader's user may read is seen: root and the group `systemd-journal` see the entries of services (systemd-journald(8)).
/// `JournalFiles` says what is not.
public enum JournalReader {
    /// One entry.
    public struct Entry {
        /// The fields that were asked for and that it has, each with its first value. The names that begin with `_` are journald's own word,
        /// which no sender can forge (systemd.journal-fields(7)): that of the journald which got the entry first.
        public var fields: [String: [UInt8]]
        /// When journald got it, in microseconds since 1970 by its machine's clock.
        public var receivedAt: UInt64
        /// The host that sent it, where a collector has named the file for it.
        public var sender: String?
    }

    /// Hands over every entry of `files` that has all of these fields; a field that stands several times may have any of its values. What
    /// different hosts have sent comes one host after the other.
    ///
    /// - Parameters:
    ///   - matches: names, and the values that the field must have.
    ///   - fields: what is read of each entry.
    public static func read(
        _ files: JournalFiles, matches: [(name: String, value: String)], fields: [String], _ take: (Entry) -> Void
    ) throws(SystemFailure) {
        for (sender, group) in Dictionary(grouping: files.files, by: \.sender).sorted(by: {
            ($0.key ?? "") < ($1.key ?? "")
        }) {
            try read(group.map(\.path), matches, fields) { values, moment in
                take(Entry(fields: values, receivedAt: moment, sender: sender))
            }
        }
    }

    /// Throws where the file cannot be opened as a journal.
    static func probe(_ path: String) throws(SystemFailure) {
        let library = try library()
        unsafe library.close(try open([path], library))
    }

    private static func read(
        _ paths: [String], _ matches: [(name: String, value: String)], _ fields: [String],
        _ take: ([String: [UInt8]], UInt64) -> Void
    ) throws(SystemFailure) {
        let library = try library()
        let journal = unsafe try open(paths, library)
        defer { unsafe library.close(journal) }
        // The values that are asked for are short; one that an intruder made long is cut, not loaded.
        try check(unsafe library.set_data_threshold(journal, 65536), "read the journal")
        for match in matches {
            let bytes = Array("\(match.name)=\(match.value)".utf8)
            try check(unsafe library.add_match(journal, bytes, bytes.count), "search the journal")
        }
        while true {
            let next = unsafe library.next(journal)
            try check(next, "read the journal")
            if next == 0 { return }
            var moment: UInt64 = 0
            try check(unsafe library.get_realtime_usec(journal, &moment), "read the journal")
            var values: [String: [UInt8]] = [:]
            for field in fields {
                var data: UnsafeRawPointer?
                var length = 0
                let found = unsafe library.get_data(journal, field, &data, &length)
                // A field that is not there, or an entry that a crash cut off.
                if found == -ENOENT || found == -EBADMSG { continue }
                try check(found, "read the journal")
                guard let data = unsafe data, length > field.utf8.count else { continue }
                // The data is `NAME=value`.
                let bytes = unsafe Array(UnsafeRawBufferPointer(start: data, count: length))
                values[field] = Array(bytes.dropFirst(field.utf8.count + 1))
            }
            take(values, moment)
        }
    }

    private static func library() throws(SystemFailure) -> journal_functions {
        var library = journal_functions()
        guard unsafe load_journal_functions(&library) else {
            throw SystemFailure("load", path: "libsystemd.so.0", errno: ELIBACC)
        }
        return library
    }

    private static func open(_ paths: [String], _ library: journal_functions) throws(SystemFailure) -> OpaquePointer? {
        var opened: OpaquePointer?
        // The list ends with a null pointer.
        var names = unsafe paths.map { unsafe UnsafePointer<CChar>(strdup($0)) } + [nil]
        defer { unsafe names.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
        try check(unsafe library.open_files(&opened, &names, 0), "open the journal", paths.first)
        return unsafe opened
    }

    private static func check(_ result: Int32, _ operation: String, _ path: String? = nil) throws(SystemFailure) {
        if result < 0 { throw SystemFailure(operation, path: path, errno: -result) }
    }
}
