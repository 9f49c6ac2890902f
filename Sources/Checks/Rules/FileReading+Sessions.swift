internal import SQLLexing
internal import SQLParsing

/// What the file leaves behind beyond its objects: secrets in its text, and settings of later sessions.
extension FileReading {
    /// One finding for each statement: its first secret.
    mutating func checkSecrets() {
        var last: Int?
        for secret in script.secrets.found {
            let statement = script.statement(at: secret.range.lowerBound) ?? -1
            guard statement != last else { continue }
            last = statement
            find(
                .secretInFile, secret.kind == .verifier ? .note : nil, at: secret.range.lowerBound, secret.words,
                hint:
                    "Set it by hand or from where secrets are kept: the history keeps the text of every file for good.")
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
