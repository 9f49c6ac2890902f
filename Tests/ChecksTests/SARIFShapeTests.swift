import Checks
import JSON
import Testing

/// What the OASIS schema of SARIF 2.1.0 says of the objects that are written here, and nothing else may be in them: a further member has to be
/// looked up there first.
@Suite struct `The shape of a SARIF document` {
    private indirect enum Shape: Sendable {
        case text, uriReference, uri
        case integer(atLeast: Int64)
        case choice([String])
        case object(String)
        case list(Shape, unique: Bool = false)
    }

    private static let level = Shape.choice(["none", "note", "warning", "error"])
    private static let objects: [String: (members: [String: Shape], required: Set<String>)] = [
        "sarifLog": (
            ["$schema": .uri, "version": .choice(["2.1.0"]), "runs": .list(.object("run"))], ["version", "runs"]
        ),
        "run": (
            [
                "tool": .object("tool"), "columnKind": .choice(["utf16CodeUnits", "unicodeCodePoints"]),
                "results": .list(.object("result")),
            ], ["tool"]
        ),
        "tool": (["driver": .object("toolComponent")], ["driver"]),
        "toolComponent": (
            ["name": .text, "version": .text, "rules": .list(.object("reportingDescriptor"), unique: true)], ["name"]
        ),
        "reportingDescriptor": (
            [
                "id": .text, "name": .text, "shortDescription": .object("multiformatMessageString"),
                "fullDescription": .object("multiformatMessageString"), "help": .object("multiformatMessageString"),
                "defaultConfiguration": .object("reportingConfiguration"),
            ], ["id"]
        ),
        "reportingConfiguration": (["level": level], []),
        "multiformatMessageString": (["text": .text, "markdown": .text], ["text"]),
        "result": (
            [
                "ruleId": .text, "ruleIndex": .integer(atLeast: -1), "level": level, "message": .object("message"),
                "locations": .list(.object("location")), "relatedLocations": .list(.object("location"), unique: true),
            ], ["message"]
        ),
        // The schema asks for one of text and id.
        "message": (["text": .text], ["text"]),
        "location": (
            [
                "id": .integer(atLeast: -1), "physicalLocation": .object("physicalLocation"),
                "message": .object("message"),
            ], []
        ),
        // The schema asks for one of address and artifactLocation.
        "physicalLocation": (
            ["artifactLocation": .object("artifactLocation"), "region": .object("region")], ["artifactLocation"]
        ),
        "artifactLocation": (["uri": .uriReference], []),
        "region": (["startLine": .integer(atLeast: 1), "startColumn": .integer(atLeast: 1)], []),
    ]

    /// What is wrong with a value, each with its path.
    private func faults(_ value: JSONValue, _ shape: Shape, at path: String) -> [String] {
        switch (shape, value) {
        case (.text, .string): return []
        case (.uri, .string(let text)): return text.hasPrefix("https://") ? [] : ["\(path): '\(text)' is no URI"]
        case (.uriReference, .string(let text)):
            let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}".utf8.contains($0) }
            return isPlain && !text.isEmpty ? [] : ["\(path): '\(text)' is no URI reference"]
        case (.integer(let least), .integer(let number)): return number >= least ? [] : ["\(path): \(number)"]
        case (.choice(let words), .string(let text)): return words.contains(text) ? [] : ["\(path): '\(text)'"]
        case (.list(let element, let unique), .array(let values)):
            let twice = unique && Set(values.map(\.text)).count < values.count ? ["\(path): an element twice"] : []
            return twice + values.enumerated().flatMap { faults($1, element, at: "\(path)[\($0)]") }
        case (.object(let name), .object(let members)):
            guard let object = Self.objects[name] else { return ["\(path): \(name) is not known"] }
            let missing = object.required.subtracting(members.keys).sorted().map { "\(path): \($0) is missing" }
            return missing
                + members.sorted { $0.key < $1.key }.flatMap { key, member in
                    object.members[key].map { faults(member, $0, at: "\(path).\(key)") }
                        ?? ["\(path): \(name) has no '\(key)'"]
                }
        default: return ["\(path): \(value) is no \(shape)"]
        }
    }

    private static let folders: [[String: String]] = [
        [:], ["001_a.sql": "SELECT 1;"],
        [
            "001_a.sql": "CREATE TABLE a (x int);", "002_b.sql": "DROP TABLE a;\nCREATE TABLE b (x int);",
            "003_ü b%20#?\"<>.sql": "CREATE TABLE b (x int);\nALTER TABLE c ADD FOREIGN KEY (x) REFERENCES b;\nSELEC",
            "3_twice.sql": "COMMIT;", "004_empty.sql": "", "notes.txt": "x",
        ],
    ]

    @Test(arguments: folders)
    func `is what the schema of the standard says`(files: [String: String]) {
        let document = SARIF.document(Folder(files).report, version: "1.2.3", from: .note) { "file:///srv/m y/" + $0 }
        #expect(faults(document, .object("sarifLog"), at: "$") == [])
        let read = try? JSONTape(Array(document.text.utf8))
        #expect(read.map { $0.value($0.root) } == document)
    }

    @Test func `and a fault in it is found`() {
        let document: JSONValue = [
            "version": "2.0.0",
            "runs": [
                [
                    "tool": ["driver": ["version": "1"]],
                    "results": [
                        [
                            "level": "fatal", "message": ["text": "x"], "more": 1,
                            "locations": [
                                [
                                    "physicalLocation": [
                                        "artifactLocation": ["uri": "a b"], "region": ["startLine": 0],
                                    ]
                                ]
                            ], "relatedLocations": [["id": 1], ["id": 1]],
                        ]
                    ],
                ]
            ],
        ]
        #expect(faults(document, .object("sarifLog"), at: "$").count == 7)
    }
}
