public import JSON
public import Reporting

/// What a check has found, in the order of the line.
public struct CheckReport: Sendable {
    /// A finding that its file allows.
    public struct Allowed: Sendable, Equatable {
        /// The finding.
        public var finding: CheckFinding
        /// Why the file says it may be.
        public var reason: String
    }

    /// What was found and is not allowed.
    public private(set) var findings: [CheckFinding]
    /// What was found and is allowed by a line of the file.
    public private(set) var allowed: [Allowed]
    /// How many migrations were read.
    public let files: Int
    private let unusable: [ExitStatus]

    init(findings: [CheckFinding], allowed: [Allowed], files: Int, unusable: [ExitStatus]) {
        self.findings = findings
        self.allowed = allowed
        self.files = files
        self.unusable = unusable
    }

    /// Only what is about these files; the others were read for what they create.
    public mutating func keepOnly(_ paths: Set<String>) {
        findings.removeAll { !paths.contains($0.place.file) }
        allowed.removeAll { !paths.contains($0.finding.place.file) }
    }

    /// The findings from `severity` on.
    public func findings(from severity: Severity) -> [CheckFinding] { findings.filter { $0.severity >= severity } }

    /// How many findings there are of a severity.
    public func count(_ severity: Severity) -> Int { findings.count { $0.severity == severity } }

    /// The exit status: that of the first file that cannot be run, else 1 where something is found that reaches the threshold.
    public func exitStatus(failOn threshold: FailureThreshold) -> ExitStatus {
        if threshold == .never { return .done }
        let isUnusable = findings.contains { finding in
            switch finding.rule {
            case .invalidFile, .duplicateVersion, .concurrentlyInTransaction, .unsafePermissions: true
            case .alikeNames: finding.severity == .error
            default: false
            }
        }
        if isUnusable, let status = unusable.first { return status }
        return findings.contains { threshold.isReached(by: $0.severity) } ? .failed : .done
    }

    /// One line that counts.
    public var status: String {
        var parts = [CheckReport.counted(files, "migration")]
        parts += Severity.allCases.reversed().map { CheckReport.counted(count($0), $0.rawValue) }
        if !allowed.isEmpty { parts.append("\(allowed.count) allowed") }
        return parts.joined(separator: ", ")
    }

    /// Its members for machines; notes are always among the findings.
    public var members: [String: JSONValue] {
        [
            "migrations": .integer(Int64(files)), "bad": .integer(Int64(unusable.count)),
            "findings": .array(findings.map(\.json)),
            "allowed": .array(
                allowed.map { allowed in
                    guard case .object(var members) = allowed.finding.json else { return .null }
                    members["reason"] = .string(allowed.reason)
                    return .object(members)
                }),
        ]
    }

    private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}

extension CheckFinding {
    /// For machines.
    public var json: JSONValue {
        [
            "code": .string(rule.code), "name": .string(rule.name), "severity": .string(severity.rawValue),
            "message": .string(message), "hint": JSONValue(hint), "file": .string(place.file),
            "line": JSONValue(place.line), "column": JSONValue(place.column),
            "related": .array(
                related.map { related in
                    [
                        "message": .string(related.message), "file": .string(related.place.file),
                        "line": JSONValue(related.place.line), "column": JSONValue(related.place.column),
                    ]
                }),
        ]
    }
}
