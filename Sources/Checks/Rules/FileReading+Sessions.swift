internal import SQLLexing
internal import SQLParsing

/// What the file leaves behind beyond its objects: secrets in its text, and settings of later sessions.
extension FileReading {
    mutating func checkSecrets() {
        for secret in script.firstSecrets {
            find(
                .secretInFile, secret.kind == .verifier ? .note : nil, at: secret.range.lowerBound, secret.words,
                hint: Script.secretHint)
        }
    }

    mutating func checkLastingSettings() {
        for setting in script.lastingSettings {
            find(
                .lastingSetting, setting.changesMeaning ? .warning : nil,
                at: script.statements[setting.statement].range.lowerBound, "\(setting.words) for every later session",
                hint: "Write SET LOCAL where only this file needs it.")
        }
    }
}

extension Script {
    static let emptyHint = "It is recorded, and nothing else happens: write the statements if there are any."
    static let secretHint =
        "Set it by hand or from where secrets are kept: the history keeps the text of every file for good."

    /// The first secret of each statement; of a text that could not be parsed, of all of it.
    var firstSecrets: [Secrets.Found] {
        var seen: Set<Int> = []
        return secrets.found.filter { seen.insert(statement(at: $0.range.lowerBound) ?? -1).inserted }
    }
}
