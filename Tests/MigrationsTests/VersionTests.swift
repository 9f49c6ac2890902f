import Testing

@testable import Migrations

@Suite struct VersionTests {
    @Test func `versions count as numbers and then by letters`() throws {
        let texts = [
            "0", "1", "2", "10", "024", "024a", "024b", "024ba", "025", "20251225045724", "99999999999999999999999",
        ]
        let versions = try texts.map { try #require(Version($0)) }
        #expect(versions.shuffled().sorted() == versions)
    }

    @Test(arguments: [("1", "001"), ("0", "0000"), ("024a", "24A")])
    func `zeros in front and the case of letters make no difference`(one: String, other: String) {
        #expect(Version(one) == Version(other))
    }

    @Test(arguments: ["", "a", "V1", "1_", "1_a", "001init", "1.2", "١", "-1", " 1", "1 "])
    func `what is no number is no version`(text: String) {
        #expect(Version(text) == nil)
    }

    @Test func `a leading number ends at an underscore, a hyphen or the end`() {
        #expect(LeadingNumber("024a_create")?.text == "024a")
        #expect(LeadingNumber("1-x")?.rest == "-x")
        #expect(LeadingNumber("0000")?.text == "0000")
        #expect(LeadingNumber("1 x") == nil)
        #expect(LeadingNumber("001abc_x") == nil)
    }
}
