import Reporting
import Testing

@testable import Migrations

@Suite struct ManifestTests {
    private let one = String(repeating: "1", count: 64)
    private let two = String(repeating: "2", count: 64)
    private var sum: String { "sha256:\(one)" }

    private func sample() -> Manifest {
        Manifest(
            histories: [one, two], serial: 7, layout: .golangMigrate, fromHead: Manifest.Head(seq: 42, hash: two),
            notAfter: "2026-02-28T23:59:59Z",
            entries: [
                Manifest.Entry(.up, sum, "1 a/b.sql"), Manifest.Entry(.down, "sha256:\(two)", "1 a/c.sql"),
                Manifest.Entry(.both, sum, "2_é.sql"), Manifest.Entry(.verify, sum, "v"),
                Manifest.Entry(.layout, sum, "l"),
            ])
    }

    private func refusal(_ text: String) -> String? {
        do throws(Complaint) {
            _ = try Manifest(Array(text.utf8))
            return nil
        } catch {
            return "\(error.status.rawValue) \(error.message)"
        }
    }

    @Test func `a manifest is read as it is written`() throws {
        #expect(try Manifest(Array(sample().text.utf8)) == sample())
        var bare = sample()
        (bare.fromHead, bare.notAfter, bare.histories, bare.entries) = (nil, nil, [one], [])
        #expect(bare.text == "migrated-manifest-v1\nhistory: \(one)\nserial: 7\nlayout: golang-migrate\n\n")
        #expect(try Manifest(Array(bare.text.utf8)) == bare)
        bare.fromHead = Manifest.Head(seq: 1, hash: nil)
        #expect(try Manifest(Array(bare.text.utf8)) == bare)
    }

    @Test(arguments: [
        ("", "line 1"), ("migrated-manifest-v2\n", "line 1"), ("v\n", "line 3 of MANIFEST is no 'key: value'"),
        ("serial: 07\n", "line 3"), ("serial: 0\n", "line 3"), ("serial: +1\n", "line 3"),
        ("serial: 9223372036854775808\n", "line 3"),
        ("serial: 1\nserial: 2\n", "line 4 of MANIFEST has a key that is unknown or stands there twice"),
        ("Serial: 1\n", "line 3"), ("serial:1\n", "line 3"), ("serial: 1 \n", "line 3"), (" serial: 1\n", "line 3"),
        ("expires: 1\n", "line 3"), ("history: ABCDEF\n", "line 3"), ("from-head: 0\n", "line 3"),
        ("from-head: 1 2\n", "line 3"),
        ("from-head: \n", "line 3"), ("not-after: 2026-02-29T00:00:00Z\n", "line 3"),
        ("not-after: 2026-01-01T24:00:00Z\n", "line 3"),
        ("not-after: 2026-01-01T00:00:00+01:00\n", "line 3"), ("not-after: 2026-13-01T00:00:00Z\n", "line 3"),
        ("serial: 1\r\n", "line 3 of MANIFEST ends with CR LF"),
        ("serial: 1", "line 3 of MANIFEST has no line feed at its end"),
        ("serial: 1\n", "line 4 of MANIFEST is missing: no files are listed"),
        ("\n", "line 3 of MANIFEST ends the keys, and none is 'serial'"),
        ("serial: 1\nlayout: flat\n\n\n", "line 6"), ("serial: 1\nlayout: flat\n\nup x y\n", "line 6"),
        ("serial: 1\nlayout: flat\n\nsideways SUM p\n", "line 6"),
        ("serial: 1\nlayout: flat\n\nup SUM \n", "line 6"), ("serial: 1\nlayout: flat\n\nup SUM\n", "line 6"),
        ("serial: 1\nlayout: flat\n\nup  SUM p\n", "line 6"),
        ("serial: 1\nlayout: flat\n\nup SUM p\nup SUM p\n", "line 7 of MANIFEST names 'p' a second time"),
        ("serial: 1\nlayout: flat\n\nup SUM p\tq\n", "line 6 of MANIFEST names no path that can be shown"),
        ("serial: 1\nlayout: flat\n\nup SUM p\u{202E}q\n", "line 6 of MANIFEST names no path that can be shown"),
        ("serial: 1\nlayout: flat\n\nup SUM p\u{2028}q\n", "line 6 of MANIFEST names no path that can be shown"),
        ("serial: 1\nlayout: flat\n\nup SUM p\u{0}q\n", "line 6 of MANIFEST names no path that can be shown"),
        ("serial: 1\n\n", "line 4 of MANIFEST ends the keys, and none is 'layout'"),
        ("layout: nothing\n", "line 3 of MANIFEST names no layout"), ("layout: flat\nlayout: flat\n", "line 4"),
    ])
    func `what is written in another way is refused with its line`(_ text: String, _ words: String) {
        let begin = text.isEmpty || text.hasPrefix("migrated") ? "" : "migrated-manifest-v1\nhistory: \(one)\n"
        let whole = begin + text.split(separator: "SUM", omittingEmptySubsequences: false).joined(separator: sum)
        let found = refusal(whole) ?? "read"
        #expect(found.hasPrefix("77 \(words)"), "\(found)")
    }

    @Test func `a history twice, none, and bytes that are no text are refused`() {
        #expect(refusal("migrated-manifest-v1\nhistory: \(one)\nhistory: \(one)\n")?.hasPrefix("77 line 3") == true)
        #expect(
            refusal("migrated-manifest-v1\nserial: 1\n\n")?.hasPrefix(
                "77 line 3 of MANIFEST ends the keys, and none is 'history'") == true)
        let bytes =
            Array("migrated-manifest-v1\nhistory: \(one)\nserial: 1\nlayout: flat\n\nup \(sum) a".utf8) + [0xFF, 0x0A]
        #expect((try? Manifest(bytes)) == nil)
    }

    private func found(_ entries: [Manifest.Entry]) -> [Manifest.Found] {
        entries.map { Manifest.Found($0.direction, $0.checksum, $0.path) }
    }

    @Test func `a directory that differs is told file by file`() {
        let manifest = sample()
        let same = found(manifest.entries)
        #expect(manifest.differences(from: same, layout: .golangMigrate) == [])
        func differences(_ change: (inout [Manifest.Found]) -> Void) -> [String] {
            var files = same
            change(&files)
            return manifest.differences(from: files, layout: .golangMigrate)
        }
        #expect(differences { $0.append(Manifest.Found(.down, sum, "x")) } == ["'x' is not in it"])
        #expect(differences { $0.removeLast() } == ["it names 'l' (layout), which is not here"])
        #expect(
            differences { $0[0].checksum = "sha256:\(two)" } == ["'1 a/b.sql' has another checksum here than in it"])
        #expect(differences { $0[0].direction = .both } == ["'1 a/b.sql' is 'both' here, and 'up' in it"])
        #expect(
            differences { $0[0].path = "1 a/B.sql" } == [
                "'1 a/B.sql' is not in it", "it names '1 a/b.sql' (up), which is not here",
            ])
        #expect(differences { $0.swapAt(0, 2) } == ["'2_é.sql' runs here where it has '1 a/b.sql' in its order"])
        #expect(
            manifest.differences(from: same, layout: .flat) == ["the layout is 'flat' here, and 'golang-migrate' in it"]
        )
        // Where files that undo stand, says nothing of the order.
        #expect(differences { $0.swapAt(1, 4) } == [])
        // One that cannot be read does not run.
        #expect(differences { $0[0].checksum = nil } == [])
        // The same letters in other bytes are another name.
        #expect(differences { $0[2].path = "2_e\u{301}.sql" }.count == 2)
        #expect(manifest.lists("v", sum) && !manifest.lists("v", "sha256:\(two)") && !manifest.lists("w", sum))
        #expect(!manifest.lists("2_e\u{301}.sql", sum))
    }

    private func judged(_ change: (inout Manifest, inout Manifest.History) -> Void) -> String? {
        var manifest = sample()
        var history = Manifest.History(
            genesis: two, seq: 42, hashAtHead: two, now: "2026-02-28T23:59:59Z", accepted: nil)
        change(&manifest, &history)
        return manifest.refusal(on: history, digest: "sha256:d").map { "\($0.status.rawValue) \($0.message)" }
    }

    @Test func `a manifest holds for its histories, from its event on, until it expires, and never behind a newer one`()
    {
        #expect(judged { _, _ in } == nil)
        #expect(
            judged { $1.genesis = String(repeating: "3", count: 64) }?.contains("was signed for another database")
                == true)
        #expect(judged { $1.seq = 41 }?.hasPrefix("77 MANIFEST (serial 7) holds from event 42 on") == true)
        #expect(judged { $1.seq = 1_000 } == nil)
        #expect(judged { $1.hashAtHead = one }?.contains("whose event 42 has the hash") == true)
        #expect(judged { $1.hashAtHead = nil }?.contains("whose event 42 has the hash") == true)
        #expect(
            judged {
                $0.fromHead?.hash = nil; $1.hashAtHead = nil
            } == nil)
        #expect(
            judged { $1.now = "2026-03-01T00:00:00Z" }?.contains(
                "has expired: it allows no run after 2026-02-28T23:59:59Z") == true)
        #expect(
            judged {
                $0.notAfter = nil; $1.now = "9999-03-01T00:00:00Z"
            } == nil)
        let other = { (serial: Int64, digest: String) in Manifest.Accepted(serial: serial, digest: digest, seq: 5) }
        #expect(
            judged { $1.accepted = other(8, "sha256:d") }?.contains(
                "is older than the one accepted last, serial 8 of event 5") == true)
        #expect(judged { $1.accepted = other(7, "sha256:e") }?.contains("has the serial of another manifest") == true)
        #expect(judged { $1.accepted = other(7, "sha256:d") } == nil)
        #expect(judged { $1.accepted = other(6, "sha256:e") } == nil)
    }

    @Test func `what a manifest refuses does not run, and what is applied stays`() throws {
        let refusal = Finding(.manifestRefused, path: "MANIFEST", "it is older")
        let plan = try planned(
            ["1_a", "2_b", "3_c", "4_d"], [state("1_a"), state("2_b", text: "old")], PlanPolicy(refusal: refusal),
            heads: ["3_c": "on-failure=continue"])
        #expect(plan.steps.map(\.action)[2] == .invalid(refusal))
        #expect(
            plan.actions["1_a"] == "applied" && plan.actions["2_b"] == "edited" && plan.actions["4_d"] == "blocked by 3"
        )
        #expect(plan.pending.isEmpty)
    }
}
