internal import ArgumentParser
internal import AuditReading
internal import Configuration
internal import Reporting
internal import Runner
internal import Systemd

/// `migrated manifest`: lists the directory for a signature.
struct ManifestVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manifest",
        abstract: "Print the manifest of the directory, to be signed for require-signature = \"manifest\".",
        discussion: """
            It names every file with its direction, checksum and place in the order, and the database by the identity of its history. \
            The database is asked for that, and for the serial accepted last, unless --history says which it is. Sign it with \
            'ssh-keygen -Y sign -n migrated-manifest -f KEY MANIFEST'. Nothing is changed in the database.
            """)

    @OptionGroup var common: SettingsOptions
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The database by its history's identity, 64 digits, instead of asking it. May be given several times.",
            valueName: "digits"))
    var history: [String] = []
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The manifest's number (default: one more than the newest that the directory or the database knows).",
            valueName: "number"))
    var serial: Int64?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Allow it only on a history that has this event, with its present hash where the database is asked: a number, or now.",
            valueName: "event"))
    var fromHead: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Let no run begin after this time: '2026-01-31 22:05', '+7d', RFC 3339.", valueName: "time"))
    var notAfter: String?
    @Flag(name: .long, help: "Write it as MANIFEST into the directory, and remove the signature of the one before.")
    var write = false

    func run() throws {
        let settings = try common.settings()
        let request = try request()
        let draft = try draft(settings, request)
        guard write, let directory = settings.directory else { return Terminal.print(lines: draft.text) }
        try draft.write(in: directory)
        Terminal.print("\(ManifestDraft.path(in: directory)): \(draft.summary)")
        Terminal.print("sign it: \(ManifestDraft.command(in: directory))")
    }

    private func draft(_ settings: Settings, _ request: ManifestDraft.Request) throws -> ManifestDraft {
        guard history.isEmpty else { return try ManifestDraft(settings, request) }
        var settings = settings
        settings.requireSignature = .none
        let engine = try Workplace(settings, quiet: true).engine()
        defer { engine.disconnect() }
        return try engine.manifestDraft(request)
    }

    private func request() throws -> ManifestDraft.Request {
        var request = ManifestDraft.Request()
        request.histories = history
        request.serial = serial
        if let fromHead {
            guard let seq = fromHead == "now" ? 0 : Int64(fromHead), fromHead == "now" || seq > 0 else {
                throw Complaint(
                    .usage, "--from-head '\(fromHead)' is no event",
                    hint: "Give its number, as 'auditctl log' shows it, or now.")
            }
            request.fromHead = fromHead == "now" ? .now : .event(seq)
        }
        if let notAfter {
            let reader = MomentText(now: Timestamp(microseconds: WallClock.now()), offset: LocalTime.offset)
            guard let moment = reader.moment(notAfter) else {
                throw Complaint(
                    .usage, "--not-after '\(notAfter)' is no time",
                    hint: "Write it as systemd.time(7) has it: '+7d', '2026-01-31 22:05', '2026-01-31T22:05:00Z'.")
            }
            request.notAfter = moment
        }
        return request
    }
}
