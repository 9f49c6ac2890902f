import Digest
import LiveSupport
import Testing

@testable import Runner

@Suite struct `A process killed anywhere` {
    static let files = [
        "001_one.sql": "CREATE TABLE counter (file text);\nINSERT INTO counter VALUES ('one');\n",
        "002_mixed.sql": """
        CREATE TABLE big AS SELECT n FROM generate_series(1, 50) AS n;
        INSERT INTO counter VALUES ('mixed a');
        CREATE INDEX CONCURRENTLY big_n ON big (n);
        INSERT INTO counter VALUES ('mixed b');
        """,
        "003_own.sql": """
        INSERT INTO counter VALUES ('own before');
        BEGIN;
        INSERT INTO counter VALUES ('own a');
        COMMIT;
        BEGIN;
        INSERT INTO counter VALUES ('own b');
        COMMIT;
        INSERT INTO counter VALUES ('own behind');
        """,
        "004_failing.sql": "INSERT INTO counter VALUES ('failing');\nSELECT 1 / 0;\n",
        "005_last.sql": "INSERT INTO counter VALUES ('last');\n",
    ]
    static let mended = "INSERT INTO counter VALUES ('mended');\n"
    static let effects = ["last", "mended", "mixed a", "mixed b", "one", "own a", "own b", "own before", "own behind"]

    /// At the n-th passing of the point, n = 1, 2, 3 …, until the run comes to its end untouched.
    /// What is done for a foreign key, and in a scratch database, has its own suite.
    @Test(arguments: FailPoint.allCases.map(\.rawValue).filter { $0 != "key-step" && !$0.hasPrefix("scratch-") })
    func `leaves nothing undecided and nothing applied twice`(point: String) throws {
        var kills = 0
        for count in 1... {
            let bench = try Workbench()
            for (name, text) in Self.files { try bench.write(name, text) }
            let first = try bench.run("apply", environment: ["MIGRATED_FAILPOINT": "\(point):\(count)"])
            let wasKilled = first.end == .killed(9)
            if wasKilled {
                kills += 1
                // The one that takes over is killed too.
                _ = try bench.run("apply", environment: ["MIGRATED_FAILPOINT": "\(point):1"])
            }
            let place = Comment(rawValue: "\(point):\(count)")
            let second = try bench.run("apply")
            #expect(second.status == 1, "\(place) \(second)")
            #expect(try bench.faults() == "", place)
            try bench.write("004_failing.sql", Self.mended)
            let third = try bench.run("apply")
            #expect(third.status == 0, "\(place) \(third)")
            try check(bench, place)
            if !wasKilled {
                #expect(first.status == 1, "\(place) \(first)")
                break
            }
        }
        #expect(kills > 0, "the point \(point) was never passed")
    }

    private func check(_ bench: Workbench, _ place: Comment) throws {
        #expect(
            try bench.query("SELECT file FROM counter ORDER BY 1").split(separator: "\n").map(String.init)
                == Self.effects, place)
        #expect(try bench.query("SELECT indisvalid FROM pg_index WHERE indrelid = 'big'::regclass") == "t", place)
        #expect(try bench.faults() == "", place)
        let applied = try bench.events("event = 'applied'")
        #expect(
            applied == ["001_one", "002_mixed", "003_own", "004_failing", "005_last"].map { "applied \($0)" }, place)
        let texts = Self.files.merging(["last": Self.mended], uniquingKeysWith: { $1 }).values
        let kept = texts.map {
            "(checksum = 'sha256:\(SHA256.hex(Array($0.utf8)))' AND source = convert_to($text$\($0)$text$, 'UTF8'))"
        }
        #expect(
            try bench.query("SELECT count(*) FROM migrated.migration_source WHERE \(kept.joined(separator: " OR "))")
                == "\(texts.count)", place)
    }
}
