internal import Reporting

/// JSON text that goes to a terminal or into a log.
public enum JSONText {
    /// `json` with every character escaped that a terminal might obey or that turns text round; the meaning stays the same.
    ///
    /// Such characters stand only inside strings, where an escape is allowed; those of ASCII are escaped by JSON itself.
    public static func safe(_ json: String) -> String {
        guard json.utf8.contains(where: { $0 >= 0x80 }) else { return json }
        var safe = ""
        for scalar in json.unicodeScalars {
            guard Printable.isHidden(scalar) else {
                safe.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                safe += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return safe
    }
}
