internal import CPGQuery
internal import Glibc
internal import Reporting

/// PostgreSQL's own grammar, by libpg_query.
///
/// Depth is not left to luck: its writer recurses once for each operator of an expression, so the parse runs on a thread of its own
/// with a stack for a million of them, and the caller waits for it. Texts that could still overflow it are refused before (`Weight`).
/// Only a small text, which fits any stack, is parsed on the caller's: most migrations are small, and a thread costs more than they.
enum Grammar {
    /// The release whose grammar this is.
    static let release = PG_MAJORVERSION

    enum Outcome {
        /// The tree as JSON.
        case tree([UInt8])
        /// The grammar's message and the 1-based character it points at; 0 where it names none.
        case refused(message: String, character: Int)
        /// The thread could not be started: its error number.
        case noThread(Int32)
    }

    /// Bytes up to which a text is parsed on the caller's stack: four thousand operators of two bytes, at less than 200 bytes each.
    private static let small = 8 << 10

    /// Parses `text`, which must be valid UTF-8 without NUL.
    static func parse(_ text: [UInt8]) -> Outcome {
        let work = Work(text)
        if text.count <= small {
            work.run()
            return work.outcome
        }
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        // Address space, not memory: only what a deep text touches is ever backed.
        unsafe pthread_attr_setstacksize(&attributes, DeepThread.stackSize)
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument = unsafe argument else { preconditionFailure("the thread is started with its work") }
                unsafe Unmanaged<Work>.fromOpaque(argument).takeUnretainedValue().run()
                return nil
            }, Unmanaged.passUnretained(work).toOpaque())
        guard status == 0 else { return .noThread(status) }
        // `work` is touched by that thread alone until it has been joined.
        pthread_join(thread, nil)
        return withExtendedLifetime(work) { work.outcome }
    }

    private final class Work {
        private let text: [UInt8]
        var outcome = Outcome.refused(message: "not parsed", character: 0)

        init(_ text: [UInt8]) { self.text = text + [0] }

        func run() {
            let result = unsafe text.withUnsafeBytes { bytes in
                unsafe pg_query_parse(bytes.assumingMemoryBound(to: CChar.self).baseAddress)
            }
            defer { unsafe pg_query_free_parse_result(result) }
            if let error = unsafe result.error {
                let message = unsafe error.pointee.message.map { unsafe String(cString: $0) } ?? "unknown error"
                outcome = .refused(message: message, character: Int(unsafe error.pointee.cursorpos))
            } else if let tree = unsafe result.parse_tree {
                outcome = .tree(unsafe Array(UnsafeRawBufferPointer(start: tree, count: strlen(tree))))
            }
        }
    }
}
