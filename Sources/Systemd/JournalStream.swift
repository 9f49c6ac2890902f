internal import Glibc

/// Whether a stream of this process ends in the journal, as JOURNAL_STREAM in systemd.exec(5) says.
public enum JournalStream {
    /// Whether standard error is connected to the journal.
    public static var isStandardError: Bool {
        var facts = stat()
        guard let text = Process.environment("JOURNAL_STREAM"), unsafe fstat(2, &facts) == 0 else { return false }
        return matches(text, device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino))
    }

    /// Whether `text` (`device:inode`, decimal) names that file. A variable that was inherited while the stream was redirected does not.
    static func matches(_ text: String, device: UInt64, inode: UInt64) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { UInt64($0) }
        return parts == [device, inode]
    }
}
