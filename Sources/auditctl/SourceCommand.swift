internal import ArgumentParser
internal import AuditReading
internal import Reporting

/// `source`: the exact bytes of a file that was attempted.
struct SourceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "source", abstract: "Write the exact bytes of a file that was attempted.",
        discussion:
            "On a terminal control characters are shown as escapes; anywhere else the bytes are as they were read.")

    @OptionGroup var history: HistoryOptions
    @Argument(help: ArgumentHelp("Its checksum or the first digits of it.", valueName: "checksum"))
    var checksum: String

    func run() throws {
        guard let wanted = ChecksumText(checksum) else {
            throw Complaint(
                .usage, "'\(checksum)' is no checksum",
                hint: "Give 4 to 64 hexadecimal digits, with or without 'sha256:' before them.")
        }
        let source = try history.reader().source(wanted)
        let output = Output()
        if output.isTerminal {
            try output.line(Printable.block(String(decoding: source.bytes, as: UTF8.self)))
        } else {
            try output.bytes(source.bytes)
        }
        try output.flush()
    }
}
