/// Lets options stand before the verb: `auditctl -o json log` means `auditctl log -o json`.
public enum VerbFirst {
    /// `arguments` with the verb in front, where options come before it.
    ///
    /// - Parameters:
    ///   - verbs: the words that are verbs.
    ///   - flags: the options that take no value; what follows any other option is its value, not a verb.
    public static func arranged(_ arguments: [String], verbs: Set<String>, flags: Set<String>) -> [String] {
        var at = 0
        while at < arguments.count, arguments[at].hasPrefix("-"), arguments[at] != "--" {
            at += arguments[at].contains("=") || flags.contains(arguments[at]) ? 1 : 2
        }
        guard at > 0, at < arguments.count, verbs.contains(arguments[at]) else { return arguments }
        return [arguments[at]] + arguments[..<at] + arguments[(at + 1)...]
    }
}
