internal import Reporting

/// Which names a migration may have.
///
/// Allowed are ASCII letters and digits, space, `_ - . + , = @ ~ ( ) # % ^ [ ] { }`, and the letters, marks and decimal digits of other
/// scripts, up to 200 bytes. A name travels into history, journal, terminal and error texts: what could end a line, quote or command there
/// is refused at the door rather than escaped everywhere. A hint's command names the version: where that is a number, the rest of the name
/// may hold `&`, `'` and `:`, too.
enum FileName {
    static let longest = 200

    /// What is wrong with `name`, as the end of a sentence that begins with it; nil where nothing is.
    ///
    /// - Parameters:
    ///   - title: whether commands name the migration by something else, so that `&`, `'` and `:` end none.
    ///   - inFolders: whether the name may begin with those of folders: `tables/users`.
    static func flaw(_ name: String, title: Bool = false, inFolders: Bool = false) -> String? {
        if name.utf8.count > longest { return "is longer than \(longest) bytes" }
        for scalar in name.unicodeScalars
        where !allows(scalar) && !(title && ["&", "'", ":"].contains(scalar)) && !(inFolders && scalar == "/") {
            return "holds \(shown(scalar)), which a migration's name must not"
        }
        return nil
    }

    /// Whether the name ends as SQL files do, in any case.
    static func isSQL(_ name: some StringProtocol) -> Bool {
        name.utf8.count > 4 && name.utf8.suffix(4).map { $0 | 0x20 } == Array(".sql".utf8)
    }

    private static func allows(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", " ", "_", "-", ".", "+", ",", "=", "@", "~", "(", ")", "#",
            "%", "^", "[", "]", "{", "}":
            return true
        case _ where scalar.isASCII: return false
        default: break
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
            .spacingMark,
            .enclosingMark, .decimalNumber:
            return true
        default: return false
        }
    }

    private static func shown(_ scalar: Unicode.Scalar) -> String {
        switch scalar.value {
        case 0x0A: "a newline"
        case 0..<0x20, 0x7F..<0xA0: "a control character"
        case 0x27: "a single quote"
        default: "'\(scalar)'"
        }
    }
}
