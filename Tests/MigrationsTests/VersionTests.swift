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

    @Test func `parts count one after the other`() throws {
        let texts = [
            "0.9", "00.10.00_01", "0.10.0_2", "00.10.00_11", "0.10.1", "1", "1a", "1.0.1", "1.2", "1.2a", "1.10", "2",
        ]
        let versions = try texts.map { try #require(Version($0)) }
        #expect(versions.shuffled().sorted() == versions)
    }

    @Test(arguments: [("1", "001"), ("0", "0000"), ("024a", "24A"), ("1.0", "1"), ("03.02.00_01", "3.2.0.1")])
    func `zeros in front and the case of letters make no difference`(one: String, other: String) {
        #expect(Version(one) == Version(other))
    }

    @Test(arguments: [
        "", "a", "V1", "1_", "1_a", "001init", "1.", ".1", "1..2", "1.2_", "1_2", "1.2_3a", "١", "-1", " 1", "1 ",
    ])
    func `what is no number is no version`(text: String) {
        #expect(Version(text) == nil)
    }

    @Test func `a leading number ends at an underscore, a hyphen or the end`() {
        #expect(LeadingNumber("024a_create")?.text == "024a")
        #expect(LeadingNumber("1-x")?.rest == "-x")
        #expect(LeadingNumber("0000")?.text == "0000")
        #expect(LeadingNumber("1 x") == nil)
        #expect(LeadingNumber("1.2_x") == nil)
        #expect(LeadingNumber("001abc_x") == nil)
    }

    @Test(arguments: [
        ("03.02.00_50_post_x", "03.02.00_50", "_post_x"), ("1.2_x", "1.2", "_x"), ("1.2-3", "1.2", "-3"),
        ("1.2_3", "1.2_3", ""), ("1.2_3rd_try", "1.2", "_3rd_try"), ("1_2_x", "1", "_2_x"), ("1.2a_x", "1.2a", "_x"),
    ])
    func `a number of several parts takes the number of its file along`(name: String, text: String, rest: String) {
        let leading = LeadingNumber(name, parts: true)
        #expect(leading?.text == text)
        #expect(leading.map { String($0.rest) } == rest)
    }

    @Test(arguments: ["2024.backup", "1.2backup_x", "1.x_y", "1.2.up"])
    func `a dot that begins a word is no part`(name: String) {
        #expect(LeadingNumber(name, parts: true) == nil)
    }
}
