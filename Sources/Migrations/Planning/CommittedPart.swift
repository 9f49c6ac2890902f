internal import Digest

/// A part of a file that an unfinished series of attempts has committed, as its event records it.
public struct CommittedPart: Sendable, Equatable {
    /// SHA-256 of the bytes that were sent, in hexadecimal digits.
    public var bytes: String
    /// `FileParts.digest` of its statements; nil where the program that ran it did not record that, or could not tell them apart.
    public var lexemes: String?
    /// How many statements it has; 0 where `lexemes` is nil.
    public var statements: Int

    /// A part from what its event says.
    public init(bytes: String, lexemes: String? = nil, statements: Int = 0) {
        self.bytes = bytes
        self.lexemes = statements > 0 ? lexemes : nil
        self.statements = self.lexemes == nil ? 0 : statements
    }
}

/// A file as it would be sent now: what parts that are committed are compared with.
///
/// Parts are compared by their lexemes: comments, white space and the case of key words make no other part. Where a fix adds statements
/// behind the committed ones, the file goes on with those, wherever its parts begin and end now.
public struct FileParts: Sendable, Equatable {
    /// One segment.
    public struct Segment: Sendable, Equatable {
        /// SHA-256 of the bytes that would be sent, in hexadecimal digits.
        public var bytes: String
        /// For each statement, SHA-256 of its lexemes; empty where they cannot be told apart.
        public var statements: [String]

        /// A segment from its digests.
        public init(bytes: String, statements: [String]) {
            self.bytes = bytes
            self.statements = statements
        }
    }

    /// In the order in which they are sent.
    public var segments: [Segment]

    /// A file from its segments.
    public init(_ segments: [Segment]) { self.segments = segments }

    /// What stands for several statements: SHA-256 of their digests, in hexadecimal digits.
    public static func digest(_ statements: some Sequence<String>) -> String {
        SHA256.hex(Array(statements.joined(separator: "\n").utf8))
    }

    /// Where a file goes on of which these parts are committed; `.failure` says which of them has changed, from 0.
    public func position(behind committed: [CommittedPart]) -> Result<ResumePosition, ChangedPart> {
        var position = ResumePosition.start
        for (index, part) in committed.enumerated() {
            guard let count = length(of: part, at: position) else { return .failure(ChangedPart(index: index)) }
            position.statements += count
        }
        return .success(position)
    }

    /// How many segments end at or before a position.
    public func segments(before position: ResumePosition) -> Int {
        var left = position.statements
        return segments.prefix { segment in
            left -= segment.units.count
            return left >= 0
        }.count
    }

    /// How many statements from `position` on are those of a part; nil where they are others.
    private func length(of part: CommittedPart, at position: ResumePosition) -> Int? {
        if let lexemes = part.lexemes {
            let found = segments.lazy.flatMap(\.units).dropFirst(position.statements).prefix(part.statements)
            return FileParts.digest(found) == lexemes ? part.statements : nil
        }
        var start = 0
        for segment in segments {
            if start == position.statements { return segment.bytes == part.bytes ? segment.units.count : nil }
            start += segment.units.count
        }
        return nil
    }
}

extension FileParts.Segment {
    /// What is counted: its statements, or itself where they cannot be told apart.
    fileprivate var units: [String] { statements.isEmpty ? [bytes] : statements }
}

/// The first committed part that a file does not hold any more.
public struct ChangedPart: Error, Equatable {
    /// Its number, from 0.
    public var index: Int
}

/// Where a file goes on.
public struct ResumePosition: Sendable, Equatable {
    /// How many of the statements that its segments hold are committed; a segment whose statements cannot be told apart counts as one.
    public var statements: Int

    /// The beginning of a file.
    public static let start = ResumePosition(statements: 0)

    /// A position from its number.
    public init(statements: Int) { self.statements = statements }
}
