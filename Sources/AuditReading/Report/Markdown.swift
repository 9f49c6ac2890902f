internal import Reporting

/// Text on its way into Markdown.
enum Markdown {
    /// `text` as words of one line: nothing in it is markup, not even HTML or a border of a table's cell.
    static func text(_ text: String) -> String {
        var result = ""
        let letters: [Unicode.Scalar] = ["w", "W"]
        let scalars = Array(Printable.line(text).unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            // CommonMark 2.4: any ASCII punctuation may stand behind a backslash. These are the ones that can mean something within a line.
            case "\\", "`", "*", "_", "[", "]", "|", "~", "!", "#", "$", "@":
                result += "\\"
                result.unicodeScalars.append(scalar)
            // Else a viewer makes a link of http://… and www.… by itself.
            case ":" where index + 1 < scalars.count && scalars[index + 1] == "/": result += "&#58;"
            case "." where index > 2 && scalars[(index - 3)..<index].allSatisfy(letters.contains): result += "&#46;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
