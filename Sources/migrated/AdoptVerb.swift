internal import ArgumentParser
internal import Migrations
internal import Postgres
internal import Reporting
internal import Runner
internal import Systemd

/// `migrated adopt`: takes another tool's history over.
struct AdoptVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt", abstract: "Records as adopted what another tool has applied.",
        discussion: """
            Reads that tool's history table and runs nothing. What failed there, was undone there or is not in its history stays pending. \
            What is applied already is left alone.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var lock: LockOptions
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Whose history: \(AdoptionTool.allCases.map(\.rawValue).joined(separator: ", ")) (default: found by its table).",
            valueName: "tool"), completion: .list(AdoptionTool.allCases.map(\.rawValue)))
    var from: String?
    @Option(
        name: .long,
        help: ArgumentHelp("Its table, as NAME or SCHEMA.NAME, where it has another name.", valueName: "table"))
    var historyTable: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where no tool kept a history: everything up to this version is there; proved first, by building it in a scratch database.",
            valueName: "version"))
    var baseline: String?
    @OptionGroup var proof: ProofOptions
    @Flag(name: .long, help: "Only say what would be recorded.")
    var dryRun = false

    func run() throws {
        let workplace = try Workplace(common, quiet: true)
        defer { workplace.reporter.flush(until: .now() + .seconds(1)) }
        let engine = try workplace.engine()
        let report = try engine.adopt(try goal(), dryRun: dryRun, lockPatience: try lock.patience())
        engine.disconnect()
        switch common.output {
        case .table: report.lines.forEach { Terminal.print($0) }
        case .json: Terminal.print(report.json)
        }
        if let refusal = report.refusal { throw refusal }
    }

    private func goal() throws(Complaint) -> AdoptionGoal {
        var tool: AdoptionTool?
        if let from {
            tool = AdoptionTool(rawValue: from)
            if tool == nil {
                let known = AdoptionTool.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
                throw Complaint(.usage, "no history of '\(from)' can be read", hint: "Known are \(known).")
            }
        }
        guard let baseline else { return .history(tool: tool, table: historyTable) }
        guard from == nil, historyTable == nil else {
            throw Complaint(
                .usage, "--baseline goes without --from and --history-table",
                hint: "Either a history says what is applied, or you do.")
        }
        return .baseline(baseline, try proof.choice(), accepted: proof.acceptDifferences)
    }
}

/// The options of the verbs that compare a database with its files.
struct ProofOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Build the files in a copy of this database (default: in an empty one on the same server); none compares file by file.",
            valueName: "conninfo"))
    var scratch: String?
    @Option(
        name: .long, parsing: .upToNextOption,
        help: ArgumentHelp("Objects that may differ, by name; with --scratch none, migrations.", valueName: "name"))
    var acceptDifferences: [String] = []

    func choice() throws(Complaint) -> ScratchChoice {
        try ConnectionSecret.refuse(in: scratch, argument: "--scratch")
        return switch scratch {
        case nil: .beside
        case "none": .none
        case let conninfo?: .copy(of: conninfo)
        }
    }
}
