internal import Audit
internal import Digest

/// What lets an attempt append its end from the session that its file had: the history knows its digest from the attempt's begin, and
/// the token itself leaves this process behind the file's last statement, as a parameter, and is spent in the message of COMMIT.
///
/// A server can be set to log parameters. A token that is read there is of no use: it counts in the one backend that was named with its digest,
/// which ends with the attempt where that fails, and the history forgets it with the end of the attempt, in whichever session that is recorded.
struct OneTimeToken {
    /// 32 random bytes of the system's generator.
    let bytes: [UInt8]

    init() {
        var generator = SystemRandomNumberGenerator()
        bytes = RandomBytes.next(32, using: &generator)
    }

    /// What the history is told beforehand.
    var digest: [UInt8] { SHA256.hash(bytes) }
}
