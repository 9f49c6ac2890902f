import Checks
import Goldens
import Testing

/// `docs/checks.md` is written from the table of rules. After a change: `REWRITE_REFERENCE=1 swift test --filter ChecksTests`.
@Suite struct `The page of the rules` {
    init() {
        if ProjectFiles.rewrites { #expect(ProjectFiles.write(RulePage.text, to: "docs/checks.md")) }
    }

    @Test func `the page says what the table says`() { #expect(ProjectFiles.text("docs/checks.md") == RulePage.text) }

    @Test(arguments: Rule.allCases)
    func `a rule's example is found, and its better one is not`(rule: Rule) {
        let explanation = rule.explanation
        #expect(!explanation.why.isEmpty && !explanation.wayOut.isEmpty)
        #expect(explanation.why.hasSuffix(".") && explanation.wayOut.hasSuffix("."))
        guard !explanation.example.isEmpty else {
            #expect([.unsafePermissions, .editedAfterApply].contains(rule))
            return
        }
        func findings(_ files: [Rule.Explanation.File]) -> [CheckFinding] {
            Folder(Dictionary(files.map { ($0.path, $0.text) }, uniquingKeysWith: { $1 })).report.findings
        }
        let found = findings(explanation.example)
        #expect(found.contains { $0.rule == rule }, "\(found)")
        #expect(findings(explanation.better) == [])
    }

    @Test(arguments: Rule.allCases)
    func `a terminal gets the whole entry`(rule: Rule) {
        let text = RulePage.plain(rule)
        #expect(text.contains(rule.explanation.why) && text.contains(rule.code))
        #expect(text.contains("allow=") == (rule.canBeAllowed || rule == .badAllowance), "\(text)")
    }
}
