public import JSON
internal import Reporting

/// A report in the Static Analysis Results Interchange Format, version 2.1.0 (OASIS standard), as code hosts take it.
public enum SARIF {
    /// The document.
    ///
    /// - Parameters:
    ///   - report: what was found.
    ///   - version: of the program.
    ///   - uri: the location of a file that a finding names: relative to the repository where possible.
    ///   - severity: the least that is told.
    public static func document(
        _ report: CheckReport, version: String, from severity: Severity, uri: (String) -> String
    ) -> JSONValue {
        let rules = Rule.allCases
        let indices = Dictionary(uniqueKeysWithValues: rules.enumerated().map { ($1, $0) })
        let results = report.findings(from: severity).map { finding in
            result(finding, index: indices[finding.rule] ?? 0, uri: uri)
        }
        return [
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
            "runs": [
                [
                    "tool": [
                        "driver": [
                            "name": "migrated", "version": .string(version), "rules": .array(rules.map(descriptor)),
                        ]
                    ],
                    // Columns count characters, as PostgreSQL's positions do.
                    "columnKind": "unicodeCodePoints",
                    "results": .array(results),
                ]
            ],
        ]
    }

    private static func descriptor(_ rule: Rule) -> JSONValue {
        [
            "id": .string(rule.code), "name": .string(rule.name), "shortDescription": ["text": .string(rule.summary)],
            "defaultConfiguration": ["level": .string(rule.severity.rawValue)],
            "fullDescription": ["text": .string("\(rule.summary) \(rule.explanation.why)")],
            "help": ["text": .string(RulePage.plain(rule)), "markdown": .string(RulePage.body(rule))],
        ]
    }

    private static func result(_ finding: CheckFinding, index: Int, uri: (String) -> String) -> JSONValue {
        var text = finding.message
        if let hint = finding.hint { text += ". " + hint }
        var members: [String: JSONValue] = [
            "ruleId": .string(finding.rule.code), "ruleIndex": .integer(Int64(index)),
            "level": .string(finding.severity.rawValue), "message": ["text": .string(text)],
            "locations": [["physicalLocation": location(finding.place, uri)]],
        ]
        if !finding.related.isEmpty {
            members["relatedLocations"] = .array(
                finding.related.enumerated().map { number, related in
                    [
                        "id": .integer(Int64(number)), "message": ["text": .string(related.message)],
                        "physicalLocation": location(related.place, uri),
                    ]
                })
        }
        return .object(members)
    }

    private static func location(_ place: Place, _ uri: (String) -> String) -> JSONValue {
        // A region must have a beginning: what is about a whole file points at its first line.
        var region: [String: JSONValue] = ["startLine": .integer(Int64(place.line ?? 1))]
        if let column = place.column { region["startColumn"] = .integer(Int64(column)) }
        return ["artifactLocation": ["uri": .string(escaped(uri(place.file)))], "region": .object(region)]
    }

    /// A path as a URI reference: everything but unreserved characters and slashes is percent-encoded (RFC 3986).
    private static func escaped(_ path: String) -> String {
        let prefix = "file://"
        let isAbsolute = path.utf8.starts(with: prefix.utf8)
        let hex = Array("0123456789ABCDEF")
        var result = isAbsolute ? prefix : ""
        for byte in path.utf8.dropFirst(isAbsolute ? prefix.utf8.count : 0) {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
            }
        }
        return result
    }
}
