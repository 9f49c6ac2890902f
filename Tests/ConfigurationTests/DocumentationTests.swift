import Goldens
import Testing

@testable import Configuration

/// `docs/configuration.md` and `deploy/migrated.toml` are written from the table of keys. After a change of the table:
/// `REWRITE_REFERENCE=1 swift test --filter ConfigurationTests`.
@Suite struct `The reference page and the example file` {
    init() {
        guard ProjectFiles.rewrites else { return }
        #expect(ProjectFiles.write(ReferencePage.page, to: "docs/configuration.md"))
        #expect(ProjectFiles.write(ReferencePage.example, to: "deploy/migrated.toml"))
    }

    @Test func `the reference page says what the table says`() throws {
        let page = String(decoding: try #require(ProjectFiles.contents("docs/configuration.md")), as: UTF8.self)
        for key in SettingKey.all {
            #expect(page.contains("### `\(key.name)`"))
            #expect(page.contains(key.defaultNote?.prefix(20) ?? ReferencePage.shownDefault(key, quote: "`")[...]))
        }
        #expect(page == ReferencePage.page)
    }

    @Test func `the example file says what the table says`() throws {
        let example = String(decoding: try #require(ProjectFiles.contents("deploy/migrated.toml")), as: UTF8.self)
        for key in SettingKey.all { #expect(example.contains("\n" + ReferencePage.assignment(key) + "\n")) }
        #expect(example == ReferencePage.example)
    }

    @Test func `the example file as it stands gives the defaults`() throws {
        let bytes = try #require(ProjectFiles.contents("deploy/migrated.toml"))
        #expect(try Settings(toml: bytes, file: "migrated.toml") == Settings())
    }

    @Test func `the example file with every key uncommented gives the defaults and the samples`() throws {
        let text = String(decoding: try #require(ProjectFiles.contents("deploy/migrated.toml")), as: UTF8.self)
        let settings = try Settings(toml: Array(uncommented(text).utf8), file: "migrated.toml")
        var expected = Settings()
        expected.directory = "/srv/app/migrations"
        expected.auditDatabase = "user=app_audit dbname=app"
        expected.stateDirectory = "/var/lib/migrated"
        expected.signingKey = "/etc/migrated/signing-key"
        expected.publicKey = "/etc/migrated/signing-key.pub"
        expected.allowedSigners = "/etc/migrated/allowed_signers"
        expected.metricsFile = "/var/lib/prometheus/node-exporter/migrated.prom"
        expected.hooks = "/etc/migrated/hooks.d"
        #expect(settings == expected)
    }
}

/// `text` with the `#` taken off every line that sets a key.
func uncommented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
        .map { line in SettingKey.all.contains { line.hasPrefix("#\($0.name) = ") } ? line.dropFirst() : line }
        .joined(separator: "\n")
}
