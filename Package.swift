// swift-tools-version: 6.2
import PackageDescription

/// Settings of every target of ours: Swift 6, all warnings are errors, every unsafe call says so.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = []
) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict + settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, resources: resources,
        swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")])
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "migrated",
    products: [
        .executable(name: "migrated", targets: ["migrated"]),
        .executable(name: "auditctl", targets: ["auditctl"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // C doors: a module map and the few lines that Swift cannot call.
        .systemLibrary(name: "CPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CPGQuery", providers: [.apt(["libpg-query-dev"])]),
        .systemLibrary(name: "CSystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLinux"),

        // How things are written: JSON, errors with their exit status, escaping, time spans.
        module("JSON"),
        module("Reporting", ["JSON"]),
        // SQL as words and quotes, without a grammar, and what of it must not be shown.
        module("SQLLexing"),

        // The only importers of those doors, the only `unsafe`.
        module("Digest", ["CCrypto"]),
        module("Postgres", ["CPQ", "Reporting", "SQLLexing"]),
        module("SQLParsing", ["CPGQuery", "JSON", "Reporting", "SQLLexing"]),
        module("Systemd", ["CSystemd", "CLinux", "Reporting"]),

        // Pure: no I/O, no clock.
        module("Audit", ["Digest", "JSON", "Reporting"]),
        module("Migrations", ["Digest", "ForeignKeys", "JSON", "Reporting", "SQLParsing"]),
        module("Checks", ["JSON", "Migrations", "Reporting", "SQLLexing", "SQLParsing"]),
        module("ForeignKeys", ["JSON", "Reporting", "SQLParsing"]),
        module("Replay", ["ForeignKeys", "JSON", "Reporting", "SQLLexing", "SQLParsing"]),

        // The history's own schema, as SQL files built into the program.
        .target(
            name: "AuditSchema", path: "migrations/audit",
            resources: [
                .embedInCode("v001_history.sql"), .embedInCode("v002_orphans.sql"),
                .embedInCode("v003_acknowledged.sql"),
                .embedInCode("v004_token.sql"), .embedInCode("v005_catalog.sql"), .embedInCode("v006_append.sql"),
                .embedInCode("v007_rights.sql"), .embedInCode("v008_orphans.sql"),
                .embedInCode("v009_identity.sql"),
                .embedInCode("v010_restoration.sql"), .embedInCode("v011_evidence.sql"),
                .embedInCode("v012_changes.sql"),
                .embedInCode("roles.sql"), .embedInCode("shape.txt"), .embedInCode("views16.txt"),
            ],
            swiftSettings: strict),

        module(
            "Configuration", ["ForeignKeys", "Reporting", "Migrations", .product(name: "TOMLKit", package: "TOMLKit")]),
        // Only selects.
        module("AuditReading", ["Audit", "AuditSchema", "Digest", "JSON", "Postgres", "Reporting", "SQLLexing"]),
        // The only module that writes.
        module(
            "Runner",
            [
                "Audit", "AuditReading", "AuditSchema", "Checks", "Configuration", "Digest", "ForeignKeys", "JSON",
                "Migrations", "Postgres", "Replay", "Reporting", "SQLLexing", "SQLParsing", "Systemd",
            ],
            settings: [.define("FAILPOINTS", .when(configuration: .debug))]),

        .executableTarget(
            name: "migrated",
            dependencies: [
                "Audit", "AuditReading", "Checks", "Configuration", "Digest", "JSON", "Migrations", "Postgres",
                "Reporting", "Runner", "SQLParsing", "Systemd", argumentParser,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "auditctl",
            dependencies: [
                "Audit", "AuditReading", "Configuration", "Digest", "JSON", "Migrations", "Postgres", "Reporting",
                "Systemd", argumentParser,
            ],
            swiftSettings: strict),

        // Pages and cases beside the tests.
        .target(
            name: "Goldens", path: "Tests/Goldens",
            swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]),
        // What live tests stand on: private servers, child processes, temporary directories.
        .systemLibrary(name: "CSpawn", path: "Tests/CSpawn"),
        .target(
            name: "LiveSupport", dependencies: ["CSpawn"], path: "Tests/LiveSupport",
            swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]),
        tests("LiveSupportTests", ["LiveSupport"]),
        tests("SystemTests", ["LiveSupport"]),
        tests("FaultTests", ["Digest", "LiveSupport"]),
        .testTarget(
            name: "FuzzTests", dependencies: ["JSON", "Migrations", "Reporting", "SQLParsing"], exclude: ["Corpus"],
            swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]),
        tests(
            "LiveTests",
            [
                "Audit", "AuditReading", "AuditSchema", "Digest", "Goldens", "JSON", "LiveSupport", "Postgres",
                "Reporting", "Runner",
            ]),

        tests("JSONTests", ["JSON"]),
        tests("SQLLexingTests", ["SQLLexing"]),
        tests("ReportingTests", ["Reporting"]),
        // Every escaper, fed with every scalar that changes how its neighbours are read.
        tests(
            "EscapingTests",
            [
                "Audit", "AuditReading", "Configuration", "Digest", "JSON", "LiveSupport", "Postgres", "Reporting",
                "Systemd", .product(name: "TOMLKit", package: "TOMLKit"),
            ]),
        tests("DigestTests", ["Digest"]),
        tests("AuditTests", ["Audit", "Digest", "JSON", "Reporting"]),
        tests("AuditReadingTests", ["Audit", "AuditReading", "Digest", "JSON", "Postgres", "Reporting"]),
        tests("RunnerTests", ["JSON", "Postgres", "Reporting", "Runner", "SQLParsing", "Systemd"]),
        tests("SystemdTests", ["Systemd", "Reporting"]),
        .testTarget(
            name: "SQLParsingTests", dependencies: ["Goldens", "JSON", "Reporting", "SQLLexing", "SQLParsing"],
            exclude: ["Golden"],
            swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]),
        .testTarget(
            name: "ChecksTests", dependencies: ["Checks", "Goldens", "JSON", "Migrations", "Reporting", "SQLParsing"],
            exclude: ["Golden"],
            swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]),
        tests("MigrationsTests", ["Digest", "Migrations", "Reporting"]),
        .testTarget(
            name: "ForeignKeysTests",
            dependencies: ["ForeignKeys", "Goldens", "JSON", "LiveSupport", "Reporting", "SQLParsing"],
            exclude: ["Golden"],
            swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]),
        .testTarget(
            name: "ConfigurationTests", dependencies: ["Configuration", "Goldens", "Migrations", "Reporting"],
            exclude: ["Golden"],
            swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]),
    ],
    swiftLanguageModes: [.v6]
)
