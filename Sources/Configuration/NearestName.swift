/// Finds the name that a misspelt one most likely meant.
enum NearestName {
    /// The nearest of `names`, if it is near enough to be worth a guess: at most a third of the letters differ. Case and the
    /// difference between `_` and `-` do not count. The first of equally near names is taken.
    static func of(_ written: String, in names: [String]) -> String? {
        let folded = fold(written)
        guard !folded.isEmpty, folded.count <= 64 else { return nil }
        var nearest: (name: String, distance: Int)?
        for name in names {
            let distance = distance(folded, fold(name))
            if distance <= max(1, name.count / 3), distance < nearest?.distance ?? .max { nearest = (name, distance) }
        }
        return nearest?.name
    }

    private static func fold(_ name: String) -> [Character] {
        name.lowercased().map { $0 == "_" ? "-" : $0 }
    }

    /// How many letters must be inserted, dropped, changed or swapped with their neighbour.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var before: [Int] = []
        var row = Array(0...right.count)
        for i in left.indices {
            var next = [i + 1]
            for j in right.indices {
                var best = min(row[j] + (left[i] == right[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, before[j - 1] + 1)
                }
                next.append(best)
            }
            (before, row) = (row, next)
        }
        return row[right.count]
    }
}
