import Testing

/// Texts in which what changes how its neighbours are read or shown stands before, behind and around each special character of a format.
enum Hostile {
    /// Every scalar that joins with its neighbours into one `Character`, shows nothing, turns text round, ends a line, or becomes an ASCII
    /// character when it is normalized. NUL is left out: it has tests of its own.
    static let scalars: [Unicode.Scalar] = {
        // UAX #29's Grapheme_Cluster_Break=Prepend, of which only some are format characters, and jamo and flags, which join as well.
        let joining: [ClosedRange<UInt32>] = [
            0x0D4E...0x0D4E, 0x1100...0x1100, 0x1161...0x1161, 0x11A8...0x11A8, 0x110BD...0x110BD, 0x110CD...0x110CD,
            0x111C2...0x111C3, 0x1193F...0x1193F, 0x11941...0x11941, 0x11A3A...0x11A3A, 0x11A84...0x11A89,
            0x11D46...0x11D46, 0x11F02...0x11F02, 0x1F1E6...0x1F1E7, 0x1F468...0x1F468, 0x1F3FB...0x1F3FB,
        ]
        // Canonically equal to `;`, `` ` `` and `K`; the last ones of a plane.
        let single: [UInt32] = [0x37E, 0x1FEF, 0x212A, 0xFFFD, 0xFFFE, 0xFFFF, 0x10FFFF]
        let known = Set(joining.flatMap { Array($0) } + single)
        return (1...0x10FFFF).compactMap(Unicode.Scalar.init).filter { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .nonspacingMark, .spacingMark, .enclosingMark:
                true
            default: known.contains(scalar.value) || scalar.properties.isDefaultIgnorableCodePoint
            }
        }
    }()

    /// For each of them, each character of `special` with it around, before and behind; and pairs that are one grapheme by themselves.
    static func texts(_ special: String) -> [String] {
        let marks = special.unicodeScalars.map { Array(String($0).utf8) }
        let hostile = scalars.map { scalar in
            let joined = Array(String(scalar).utf8)
            // Of the two that stand together the first has it before, the second behind it.
            var bytes: [UInt8] = []
            for mark in marks {
                for piece in [joined, mark, joined, mark, mark, joined] { bytes += piece }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        let pairs = [
            "\r\n" + special + "\r\n", "\u{600}\r\n\u{301}" + special, special + "\u{1F468}\u{200D}" + special,
        ]
        return hostile + pairs + ["", special]
    }

    /// Records an issue about `text` where something does not hold; `#expect` takes apart each of some hundred thousand expressions.
    static func check(
        _ holds: Bool, _ text: @autoclosure () -> String, _ location: SourceLocation = #_sourceLocation
    ) {
        guard !holds else { return }
        let scalars = text().unicodeScalars.map { String($0.value, radix: 16) }.joined(separator: " ")
        Issue.record("\(text()) (\(scalars))", sourceLocation: location)
    }

    /// Whether two texts have the same bytes, which `==` does not say.
    static func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
}
