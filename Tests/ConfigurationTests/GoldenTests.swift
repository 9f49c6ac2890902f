import Goldens
import Reporting
import Testing

@testable import Configuration

/// `Golden/NAME.toml` is a configuration file with something wrong, `Golden/NAME.txt` what is said of it. After a change of wording:
/// `REWRITE_REFERENCE=1 swift test --filter ConfigurationTests`, and read the difference.
@Suite struct `What is said of a bad file` {
    private static let folder = "Tests/ConfigurationTests/Golden"
    static let cases = ProjectFiles.names(in: folder).filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(5)) }

    @Test func `there are cases`() { #expect(Self.cases.count > 30) }

    @Test(arguments: cases)
    func `a golden case`(name: String) throws {
        let bytes = try #require(ProjectFiles.contents("\(Self.folder)/\(name).toml"))
        let complaints = Settings.complaints(toml: bytes, file: "\(name).toml")
        #expect(!complaints.isEmpty)
        #expect(complaints.allSatisfy { $0.status == .configuration && $0.place != nil && $0.hint != nil })
        let said = complaints.flatMap(\.lines).joined(separator: "\n") + "\n"
        if ProjectFiles.rewrites { #expect(ProjectFiles.write(said, to: "\(Self.folder)/\(name).txt")) }
        let expected = String(
            decoding: try #require(ProjectFiles.contents("\(Self.folder)/\(name).txt")), as: UTF8.self)
        #expect(said == expected)
        let thrown = #expect(throws: Complaint.self) { try Settings(toml: bytes, file: "\(name).toml") }
        #expect(thrown == complaints.first)
    }
}
