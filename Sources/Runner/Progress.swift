internal import Reporting
internal import Systemd

/// How far a run has come: which file, which statement of it, and how far the server says that statement is.
public struct Progress: Sendable {
    /// What the message that runs now is about.
    struct Work: Sendable {
        /// The statements that were sent in it; nil for what is no statement of the file's.
        var statements: Range<Int>?
        /// How many statements the file has.
        var count: Int
        /// How long it has run.
        var running: TimeSpan
        /// What the server says of it.
        var activity: Activity?

        init(statements: Range<Int>?, of count: Int, running: TimeSpan, activity: Activity?) {
            self.statements = statements
            self.count = count
            self.running = running
            self.activity = activity
        }

        /// `statement 2 of 4 for 12.3s; building index: scanning table 42 %; CREATE INDEX a_b ON a (b)`: what may be cut off stands last.
        var words: String {
            var words: [String] = []
            if let statements {
                let (first, last) = (statements.lowerBound + 1, statements.upperBound)
                let place = first == last ? "statement \(first)" : "one of statements \(first) to \(last)"
                words.append("\(place) of \(count) for \(running.brief)")
            } else {
                words.append("for \(running.brief)")
            }
            if let phase = activity?.phase {
                let percent = activity?.share.map { " \(Int($0 * 100)) %" } ?? ""
                words.append(Printable.line(phase, limit: 100) + percent)
            }
            if let waitsFor = activity?.waitsFor {
                words.append("waits for backend \(Printable.line(waitsFor, limit: 60))")
            }
            // Of a message with several statements the server shows the whole text.
            if statements?.count ?? 1 == 1, let opening = activity?.opening { words.append(opening) }
            return words.joined(separator: "; ")
        }
    }

    /// What is done with the file: `applying`, `rolling back`.
    var verb: String
    /// The migration's name.
    var name: String
    /// Its place among those of the run, from 1.
    var number: Int
    /// How many the run has.
    var count: Int
    /// What has run for a while; nil for what is quick.
    var work: Work?

    /// One line that anybody may read: of a statement nothing but its first words.
    public var text: String {
        let file = "\(verb) \(Printable.line(name, limit: 200)) (\(number) of \(count))"
        return work.map { "\(file): \($0.words)" } ?? file
    }

    /// How much is done, from 0 to 1: of the statement where the server measures it, else of the files; nil where nothing tells.
    public var share: Double? {
        if let work { return work.activity?.share }
        return count > 1 ? Double(number - 1) / Double(count) : nil
    }
}

extension Reporter {
    /// A file's turn has come; where that is not told, its long statements are.
    func proceeds(_ verb: String, _ name: String, _ number: Int, of count: Int, isTold: Bool = true) {
        guard let onProgress else { return }
        let progress = Progress(verb: verb, name: name, number: number, count: count)
        self.progress = progress
        if isTold { onProgress(progress) }
    }

    /// One of its statements has run for a while.
    func progressed(_ work: Progress.Work) {
        progress?.work = work
        if let progress { onProgress?(progress) }
        progress?.work = nil
    }
}
