public import JSON
internal import Reporting

/// How much of what a file creates stands in a database.
public struct FileEvidence: Sendable, Equatable {
    /// In one word.
    public enum Verdict: String, Sendable {
        /// All of it, as the file says.
        case present
        /// Some of it, or not as the file says.
        case partly
        /// Nothing of it.
        case absent
        /// The file creates nothing that can be compared: it changes rows, or what earlier files made.
        case untold
    }

    /// How one object was found.
    public enum State: Sendable, Equatable {
        case present
        case absent
        case different([Difference])
        /// The server could not build it, and why.
        case unread(String)
    }

    /// One object.
    public struct Finding: Sendable, Equatable {
        /// For people: `table 'public.users'`.
        public var object: String
        /// The line of the statement, from 1.
        public var line: Int
        /// How it was found.
        public var state: State

        /// A finding from its parts.
        public init(object: String, line: Int, state: State) {
            self.object = object
            self.line = line
            self.state = state
        }
    }

    /// The migration's name.
    public let name: String
    /// Its objects, in the order of the text.
    public var findings: [Finding] = []

    /// Evidence about a migration of which nothing was looked at yet.
    public init(name: String) { self.name = name }

    /// What the findings come to.
    public var verdict: Verdict {
        let present = findings.contains { $0.state == .present }
        let absent = findings.contains { $0.state == .absent }
        let other = findings.contains {
            switch $0.state {
            case .different, .unread: true
            case .present, .absent: false
            }
        }
        if other || (present && absent) { return .partly }
        return present ? .present : absent ? .absent : .untold
    }

    /// A line for the file and one for everything that is not as it says.
    public var lines: [String] {
        let there = findings.filter { $0.state == .present }.count
        let note =
            verdict == .untold ? "creates nothing that can be compared" : "\(there) of \(findings.count) object(s)"
        var lines = ["\(verdict.rawValue.padded(to: 8)) \(Printable.line(name))  (\(note))"]
        for finding in findings {
            let object = Printable.line("\(finding.object), line \(finding.line)")
            switch finding.state {
            case .present: break
            case .absent: lines.append("           absent: \(object)")
            case .unread(let why):
                lines.append("           cannot be compared: \(object): \(Printable.line(why, limit: 300))")
            case .different(let differences):
                lines.append("           different: \(object)")
                lines += differences.flatMap(\.lines).prefix(30).map { "             " + $0 }
            }
        }
        return lines
    }

    /// For machines.
    public var json: JSONValue {
        [
            "name": .string(name), "verdict": .string(verdict.rawValue),
            "objects": .array(
                findings.map { finding in
                    var members: [String: JSONValue] = [
                        "object": .string(finding.object), "line": .integer(Int64(finding.line)),
                    ]
                    switch finding.state {
                    case .present: members["state"] = "present"
                    case .absent: members["state"] = "absent"
                    case .different(let differences):
                        members["state"] = "different"
                        members["difference"] = .array(differences.map(\.json))
                    case .unread(let why):
                        members["state"] = "unread"
                        members["message"] = .string(why)
                    }
                    return .object(members)
                }),
        ]
    }

    /// For the event of a file that is recorded: the verdict, and what is not as the file says where it is recorded all the same.
    public var detail: [String: JSONValue] {
        var detail: [String: JSONValue] = [
            "verdict": .string(verdict.rawValue), "objects": .integer(Int64(findings.count)),
        ]
        if verdict != .present { detail["accepted_differences"] = .array(shortcomings) }
        return detail
    }

    private var shortcomings: [JSONValue] {
        findings.compactMap { finding in
            switch finding.state {
            case .present: nil
            case .absent: .string("absent: \(finding.object)")
            case .different(let differences):
                .string("different: \(finding.object): \(differences.map(\.what).joined(separator: ", "))")
            case .unread(let why): .string("cannot be compared: \(finding.object): \(why)")
            }
        }.prefix(50).map { value in value.string.map { .string(Printable.line($0, limit: 300)) } ?? value }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
