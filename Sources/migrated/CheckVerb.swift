internal import ArgumentParser
internal import JSON
internal import Reporting
internal import Runner

/// `migrated check`: the configuration and the files, without a database.
struct CheckVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Checks the configuration and every file, without a database.")

    @OptionGroup var common: CommonOptions

    func run() throws {
        let settings = try common.settings()
        let report = try DirectoryCheck(settings)
        switch common.output {
        case .table:
            report.complaints.forEach(Terminal.tell)
            Terminal.print(report.status)
        case .json: Terminal.print(report.json)
        }
        if report.exitStatus != .done { throw report.exitStatus.code }
    }
}
