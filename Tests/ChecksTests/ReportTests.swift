import Checks
import JSON
import Reporting
import Testing

@Suite struct `Report of a check` {
    private let folder = Folder([
        "001_a.sql": "CREATE TABLE a (x int);", "002_b.sql": "DROP TABLE a;\nCREATE TABLE b (x int);",
        "003_ü b.sql": "CREATE TABLE b (x int);\nALTER TABLE c ADD FOREIGN KEY (x) REFERENCES b;",
    ])

    @Test func `codes and names are unique`() {
        #expect(Set(Rule.allCases.map(\.name)).count == Rule.allCases.count)
        for rule in Rule.allCases {
            #expect(Rule(codeOrName: rule.name) == rule)
            #expect(Rule(codeOrName: rule.code.lowercased()) == rule)
        }
    }

    @Test(arguments: [
        (FailureThreshold.error, "003", Reporting.ExitStatus.failed), (.error, "002", .done),
        (.warning, "002", .failed),
        (.warning, "001", .done), (.note, "001", .done), (.never, "003", .done),
    ])
    func `the threshold decides the exit status`(
        threshold: FailureThreshold, file: String, status: Reporting.ExitStatus
    ) {
        var report = folder.report
        report.keepOnly(Set(["001_a.sql", "002_b.sql", "003_ü b.sql"].filter { $0.hasPrefix(file) }))
        #expect(report.exitStatus(failOn: threshold) == status)
    }

    @Test func `a file that cannot be run has its own exit status`() {
        let report = Folder(["001_a.sql": "SELEC 1; COMMIT;"]).report
        #expect(report.exitStatus(failOn: .error) == .badFile)
        #expect(report.exitStatus(failOn: .never) == .done)
    }

    @Test func `JSON names code, place and the other place`() throws {
        let report = folder.report
        let findings = try #require(report.members["findings"]?.array)
        let twice = try #require(findings.first { $0["code"] == "M010" })
        #expect(twice["file"] == "003_ü b.sql")
        #expect(twice["line"] == 1)
        #expect(twice["severity"] == "error")
        #expect(twice["related"]?.array?.first?["file"] == "002_b.sql")
        #expect(twice["related"]?.array?.first?["line"] == 2)
    }

    @Test func `SARIF has what its schema requires`() throws {
        let document = SARIF.document(folder.report, version: "1.2.3", from: .note) { "db/migrations/" + $0 }
        #expect(document["version"] == "2.1.0")
        let run = try #require(document["runs"]?.array?.first)
        let driver = try #require(run["tool"]?["driver"])
        #expect(driver["name"] == "migrated")
        let rules = try #require(driver["rules"]?.array)
        let ids = rules.compactMap { $0["id"]?.string }
        #expect(ids.count == Rule.allCases.count)
        let results = try #require(run["results"]?.array)
        #expect(!results.isEmpty)
        for result in results {
            let index = try #require(result["ruleIndex"]?.integer)
            #expect(result["ruleId"]?.string == ids[Int(index)])
            #expect(["note", "warning", "error"].contains(result["level"]?.string))
            #expect(result["message"]?["text"]?.string?.isEmpty == false)
            let location = try #require(result["locations"]?.array?.first?["physicalLocation"])
            #expect(location["artifactLocation"]?["uri"]?.string?.hasPrefix("db/migrations/00") == true)
            #expect(try #require(location["region"]?["startLine"]?.integer) >= 1)
        }
        let twice = try #require(results.first { $0["ruleId"] == "M010" })
        #expect(
            twice["locations"]?.array?.first?["physicalLocation"]?["artifactLocation"]?["uri"]
                == "db/migrations/003_%C3%BC%20b.sql")
        #expect(twice["relatedLocations"]?.array?.first?["id"] == 0)
    }

    @Test func `nothing is said of the statements of applied files`() throws {
        let files = [
            "001_a.sql":
                "CREATE TABLE a (x int); CREATE TABLE a (x int);\n-- migrated: allow=M041 reason=x\nDROP TABLE z;",
            "002_b.sql": "CREATE TABLE a (x int);", "003_c.txt.sql": "SELECT 1;",
        ]
        #expect(Folder(files).codes == ["001_a.sql M010", "001_a.sql M008", "001_a.sql M040", "002_b.sql M010"])
        let report = Folder(files, applied: ["001_a.sql"]).report
        #expect(report.findings.map { "\($0.place.file) \($0.rule.code)" } == ["002_b.sql M010"])
        let edited = Folder(files, applied: ["001_a.sql"], edited: "002_b.sql").report
        #expect(edited.findings.map { "\($0.place.text) \($0.rule.code)" } == ["002_b.sql:1 M007"])
    }

    @Test func `an edited file is found where the history says so`() {
        var review = Review()
        review.add(editedAfterApply: "001_a.sql")
        #expect(
            review.report().findings.first?.lines.first
                == "001_a.sql: error M007 the file was changed after it had been applied")
    }
}
