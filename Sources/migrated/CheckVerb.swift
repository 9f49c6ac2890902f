internal import ArgumentParser
internal import Checks
internal import Configuration
internal import JSON
internal import Postgres
internal import Reporting
internal import Runner
internal import Systemd

/// `migrated check`: the configuration and the files, without a database.
struct CheckVerb: ParsableCommand {
    /// How findings are printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json, sarif
    }

    /// The words of `--fail-on`.
    enum FailOn: String, ExpressibleByArgument, CaseIterable {
        case error, warning, note, never

        var threshold: FailureThreshold {
            switch self {
            case .error: .error
            case .warning: .warning
            case .note: .note
            case .never: .never
            }
        }
    }

    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks the configuration and every file; without a database, unless --database is given.",
        discussion: """
            With --database the files are also compared with its history: an applied file that was changed or has gone is found, and \
            nothing is said of the statements of applied files. Nothing is changed there. Each finding has a code. A line '-- migrated: allow=CODE reason=…' allows it: above the first statement for the whole file, \
            elsewhere for the statement that it stands before.
            """)

    @OptionGroup var common: SettingsOptions
    @Option(name: [.long, .customShort("o")], help: ArgumentHelp("Output: table, json or sarif.", valueName: "form"))
    var output: Format = .table
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Exit with 1 at an error, a warning or a note, or never; a file that cannot be run exits with 65.",
            valueName: "severity"))
    var failOn: FailOn = .error
    @Flag(name: .long, help: "Show notes, too.")
    var all = false
    @Option(
        name: .long, help: ArgumentHelp("Print what is to know about a code, and do nothing else.", valueName: "code"))
    var explain: String?
    @Argument(help: "The files to report on; the others of the directory are read for what they create.")
    var files: [String] = []

    func run() throws {
        if let explain { return try CheckVerb.explain(explain) }
        let settings = try common.settings()
        let check = try common.database == nil ? DirectoryCheck(settings, files: files) : compared(settings)
        let least: Severity = all || failOn == .note ? .note : .warning
        let weaknesses = weaknesses(of: settings)
        switch output {
        case .table:
            for finding in check.report.findings(from: least) { finding.lines.forEach { Terminal.print($0) } }
            for weakness in weaknesses { Terminal.print("note: " + weakness) }
            Terminal.print(check.status)
        case .json:
            var members = check.members
            if !weaknesses.isEmpty { members["configuration"] = .array(weaknesses.map(JSONValue.string)) }
            Terminal.print(.object(members))
        case .sarif:
            Terminal.print(
                SARIF.document(check.report, version: Release.version, from: least) { file in
                    CheckVerb.location(of: file, in: check.directory)
                })
        }
        let status = check.report.exitStatus(failOn: failOn.threshold)
        if status != .done { throw status.code }
    }

    private static func explain(_ code: String) throws(Complaint) {
        guard let rule = Rule(codeOrName: code) else {
            throw Complaint(
                .usage, "'\(code)' is no code of a check",
                hint: "Known are \(Rule.allCases.map(\.code).joined(separator: ", ")).")
        }
        RulePage.plain(rule).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .forEach { Terminal.print(String($0)) }
    }

    /// The check with the history of the database that was asked for by name: one that is only configured is left alone.
    private func compared(_ settings: Settings) throws -> DirectoryCheck {
        let workplace = try Workplace(DirectoryCheck.placed(settings, files: files), quiet: true)
        let engine = try workplace.engine()
        let check = try engine.check(files: files)
        engine.disconnect()
        return check
    }

    /// What the configuration leaves open: how the server is reached, and whether one login does all. Nothing is said to whoever only has files
    /// looked at.
    private func weaknesses(of settings: Settings) -> [String] {
        guard !settings.database.isEmpty else { return [] }
        let targets = [settings.database, settings.auditDatabase].compactMap { text in
            text.flatMap { try? ConnectionTarget($0, applicationName: "") }
        }
        let ways = Set(targets.compactMap(\.weakness)).sorted() + [ConnectionSecret.warning].compactMap(\.self)
        guard common.database == nil, settings.auditDatabase == nil else { return ways }
        return ways + [CheckVerb.oneLogin]
    }

    private static let oneLogin = """
        one login runs the files and keeps the history ('[audit] database' is not set): a file can append events that look true, \
        and where that login owns the history, change it; see docs/roles.md
        """

    /// Where a file of the directory lies, as code hosts want it: relative to the working directory where it is below.
    private static func location(of file: String, in directory: String) -> String {
        var path = directory.hasSuffix("/") ? directory + file : directory + "/" + file
        while path.hasPrefix("./") { path.removeFirst(2) }
        guard path.hasPrefix("/") else { return path }
        if let here = Process.environment("PWD"), path.hasPrefix(here + "/") {
            return String(path.dropFirst(here.count + 1))
        }
        return "file://" + path
    }
}
