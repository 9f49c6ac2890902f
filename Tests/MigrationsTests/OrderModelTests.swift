import Reporting
import Testing

@testable import Migrations

/// Random directories against the promises that the order keeps.
@Suite struct OrderModelTests {
    /// SplitMix64: the same directories in every run.
    struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private func name(_ random: inout Seeded) -> String {
        let numbers = ["1", "01", "2", "10", "024", "024a", "24B", "025", "20250513", "20250507030812", "", "V1"]
        let ends = ["", "_a", "_B", "-a", "_a-b", "_a_b", " x", "_ä", ";", "\n"]
        return numbers[Int.random(in: 0..<numbers.count, using: &random)]
            + ends[Int.random(in: 0..<ends.count, using: &random)]
    }

    private func paths(_ layout: LayoutName, _ random: inout Seeded) -> [String] {
        var paths: Set<String> = []
        for _ in 0..<Int.random(in: 0..<12, using: &random) {
            let name = name(&random)
            guard !name.isEmpty else { continue }
            switch layout {
            case .prisma: paths.insert(Bool.random(using: &random) ? "\(name)/migration.sql" : "\(name)/")
            case .golangMigrate: paths.insert(Bool.random(using: &random) ? "\(name).up.sql" : "\(name).down.sql")
            case .drizzle: paths.formUnion(["\(name)/migration.sql", "\(name)/snapshot.json"])
            case .flyway:
                let kind = ["V", "V", "R", "U", "B"].randomElement(using: &random) ?? "V"
                paths.insert("\(kind)\(name.replacing("_", with: "__")).sql")
            case .goose, .dbmate: paths.insert("\(name).sql")
            case .sqlx:
                paths.insert(["1_", "20_", "3_"].randomElement(using: &random).map { "\($0)\(name).sql" } ?? "")
            case .diesel: paths.insert(Bool.random(using: &random) ? "\(name)/up.sql" : "\(name)/down.sql")
            case .hasura: paths.insert(Bool.random(using: &random) ? "\(name)/up.sql" : "\(name)/down.sql")
            case .pgmigrate: paths.insert("V\(name.replacing("_", with: "__")).sql")
            case .play:
                let number = Int.random(in: 1..<20, using: &random)
                paths.insert(Bool.random(using: &random) ? "\(name).sql" : "\(number).sql")
            case .supabase, .atlas, .sqlMigrate, .nodePgMigrate, .mybatis, .tern, .rambler, .liquibase, .graphile,
                .sqitch:
                paths.insert("\(name).sql")
            case .flat: paths.insert(Int.random(in: 0..<5, using: &random) == 0 ? "\(name).sql|" : "\(name).sql")
            }
        }
        // One name is either a folder with a file or one without.
        return paths.filter { !($0.hasSuffix("/") && paths.contains($0 + "migration.sql")) }.sorted()
    }

    private func read(_ listing: DirectoryListing, _ layout: LayoutName) -> Result<MigrationSet, Complaint> {
        do throws(Complaint) { return .success(try set(listing, layout)) } catch { return .failure(error) }
    }

    /// Others read files beside the migrations.
    @Test(arguments: LayoutName.allCases.filter { ![.atlas, .graphile, .sqitch].contains($0) })
    func `every permutation of a listing gives one set`(layout: LayoutName) {
        var random = Seeded(state: 2025)
        var accepted = 0
        for _ in 0..<400 {
            var listing = listing(paths(layout, &random))
            let first = read(listing, layout)
            for _ in 0..<4 {
                listing.entries.shuffle(using: &random)
                switch (first, read(listing, layout)) {
                case (.success(let one), .success(let other)):
                    #expect(one.migrations == other.migrations && one.findings == other.findings)
                case (.failure(let one), .failure(let other)): #expect(one == other)
                default: Issue.record("accepted in one order and refused in another: \(listing.entries.map(\.path))")
                }
            }
            guard case .success(let set) = first else { continue }
            accepted += 1
            check(set, listing)
        }
        #expect(accepted > 50)
    }

    /// What holds for every set that is accepted.
    private func check(_ set: MigrationSet, _ listing: DirectoryListing) {
        #expect(Set(set.migrations.map(\.identity)).count == set.migrations.count)
        #expect(Set(set.migrations.map(\.version)).count == set.migrations.count)
        let told = Set(set.findings.map(\.path)).union(set.migrations.map(\.path)).union(
            set.migrations.compactMap(\.downPath))
        for entry in listing.entries where FileName.isSQL(entry.path) {
            let folder = String(entry.path.prefix { $0 != "/" })
            #expect(told.contains(entry.path) || told.contains(folder), "silence about \(entry.path)")
        }
        for (first, second) in zip(set.migrations, set.migrations.dropFirst()) {
            if case .version(let one) = first.identity, case .version(let other) = second.identity {
                #expect(one < other)
            } else if [.dbmate, .supabase, .rambler, .liquibase].contains(set.layout) {
                #expect(NameOrder.bytes(first.path, second.path))
            } else if set.layout == .diesel {
                #expect(NameOrder.bytes(first.version, second.version))
            } else if [.prisma, .drizzle].contains(set.layout) {
                #expect(NameOrder.current(first.name, second.name))
            }
        }
    }

    @Test func `plans keep their promises for random histories`() throws {
        var random = Seeded(state: 7)
        let names = ["1_a", "2_b", "3_c", "4_d", "5_e", "6_view"]
        let texts: [String?] = ["today", "old", nil]
        for _ in 0..<600 {
            var history: [VersionState] = []
            for name in names + ["9_gone"] where Bool.random(using: &random) {
                let status = VersionState.Status.allCases.randomElement(using: &random) ?? .applied
                history.append(state(name, status, text: texts.randomElement(using: &random) ?? nil))
            }
            let policy = PlanPolicy(
                late: [nil, .stop, .apply].randomElement(using: &random) ?? nil,
                onDrift: Bool.random(using: &random) ? .stop : .report)
            let heads = ["6_view": "repeatable", "2_b": "on-failure=continue"]
            let plan = try planned(names, history, policy, heads: heads)
            #expect(try planned(names, history.shuffled(using: &random), policy, heads: heads) == plan)
            #expect(plan.steps.map(\.migration.name) == names)
            let recorded = Dictionary(history.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
            var held = policy.onDrift == .stop && plan.missing.contains { $0.status.isApplied && !$0.repeatable }
            for step in plan.steps {
                let state = recorded[step.migration.name]
                // At most once: what is applied runs again only where it is repeatable and has changed.
                if state?.status.isApplied == true, step.isPending {
                    #expect(step.repeatable && state?.checksum != "today")
                }
                // Nothing runs behind what holds up the line.
                if held { #expect(!step.isPending) }
                if case .blocked = step.action { #expect(held) }
                switch step.action {
                case .waitsForMending, .rolledBack, .unmetRequirement: held = held || !step.letsOthersPass
                case .late, .invalid, .running, .held: held = true
                case .edited, .renamed, .unreadable: held = held || policy.onDrift == .stop
                case .applied, .covered, .retired, .pending, .blocked, .beyondLimit: break
                }
            }
        }
    }
}
