/// The orders in which names themselves are sorted.
enum NameOrder {
    /// By the bytes of the names.
    static func bytes(_ left: String, _ right: String) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }

    /// As ICU's root collation, and so JavaScript's `localeCompare`, sorts printable ASCII: punctuation before symbols before digits before
    /// letters, each counting; the case of letters only where nothing else differs, and then lower before upper.
    ///
    /// Characters outside ASCII come after all letters, by their number, which is not what ICU does: `isExact` tells where that decides.
    static func current(_ left: String, _ right: String) -> Bool {
        let leftWeights = left.unicodeScalars.map(weight)
        let rightWeights = right.unicodeScalars.map(weight)
        if leftWeights != rightWeights { return leftWeights.lexicographicallyPrecedes(rightWeights) }
        for (one, other) in zip(left.utf8, right.utf8) where one != other {
            // Equal weights and different bytes: one letter in both cases. Lower case has the greater byte and comes first.
            return one > other
        }
        return false
    }

    /// Whether `current` is sure of the order of these two: their first difference is one of ASCII characters.
    static func isExact(_ left: String, _ right: String) -> Bool {
        for (one, other) in zip(left.unicodeScalars, right.unicodeScalars) where weight(one) != weight(other) {
            return one.isASCII && other.isASCII
        }
        let longer = left.unicodeScalars.count < right.unicodeScalars.count ? right : left
        let tail = longer.unicodeScalars.dropFirst(min(left.unicodeScalars.count, right.unicodeScalars.count))
        return tail.first?.isASCII ?? true
    }

    /// CLDR's root order of what is neither digit nor letter.
    private static let punctuation = Array(" _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$".unicodeScalars)

    private static let weights: [UInt32] = (0..<128).map { value in
        guard let scalar = Unicode.Scalar(UInt32(value)) else { return 0 }
        switch scalar {
        case "0"..."9": return 100 + scalar.value
        case "a"..."z": return 200 + scalar.value
        case "A"..."Z": return 200 + scalar.value + 0x20
        default: return UInt32((punctuation.firstIndex(of: scalar) ?? -1) + 1)
        }
    }

    private static func weight(_ scalar: Unicode.Scalar) -> UInt32 {
        scalar.isASCII ? weights[Int(scalar.value)] : 1000 + scalar.value
    }
}
