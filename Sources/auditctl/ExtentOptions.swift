internal import ArgumentParser
internal import Reporting

/// How many of the events that match, from which end, and whether to go on.
struct ExtentOptions: ParsableArguments {
    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp("At most so many, the newest; or 'all'.", valueName: "count"))
    var limit: String?
    @Flag(name: [.customShort("r"), .long], help: "Newest first.")
    var reverse = false
    @Flag(name: [.customShort("f"), .long], help: "Go on showing new events as they are written.")
    var follow = false

    /// The number asked for; nil for all.
    func chosen(standard: Int?) throws -> Int? {
        guard let limit else { return standard }
        if limit == "all" { return nil }
        guard let count = Int(limit), count >= 0 else {
            throw Complaint(.usage, "--limit '\(limit)' is no number", hint: "Give a number, or 'all'.")
        }
        return count == 0 ? nil : count
    }
}
