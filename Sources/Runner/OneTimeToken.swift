internal import Audit
internal import Digest

/// What lets an attempt append its end from the session that its file had: the history knows its digest from the attempt's begin, and
/// the token itself leaves this process behind the file's last statement, as a parameter, and is spent in the message of COMMIT.
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
