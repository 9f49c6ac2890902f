public import Reporting

extension ChildProcess {
    /// How a program ended and what it said.
    public struct Outcome: Sendable {
        /// Its exit status; nil where a signal ended it, ours at the time limit included.
        public var status: Int32?
        /// What it wrote to standard output.
        public var output: [UInt8]
        /// What it wrote to standard error.
        public var errors: [UInt8]
    }

    /// Where what a program writes is kept.
    struct Captured {
        let output: MemoryFile
        let errors: MemoryFile
    }

    /// Starts the program at `path` with nothing of our environment but a plain PATH and locale, gives it `input` to read, and turns the loop until
    /// it has ended. It is killed when `limit` has passed.
    public static func run(
        _ path: String, _ arguments: [String], input: [UInt8], limit: TimeSpan, loop: PollLoop
    ) throws(SystemFailure) -> Outcome {
        let captured = Captured(output: try MemoryFile(), errors: try MemoryFile())
        var end: End?
        let child = try ChildProcess(
            path, arguments, ["PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=/nonexistent"], input, capturing: captured,
            until: .now() + limit
        ) { end = $0 }
        loop.add(child)
        defer { loop.remove(child) }
        while end == nil { try loop.turn(until: child.deadline) }
        var status: Int32?
        if case .exited(let code) = end { status = code }
        return Outcome(
            status: status, output: try captured.output.contents(), errors: try captured.errors.contents())
    }
}
