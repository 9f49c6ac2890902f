extension Manifest {
    /// A file that is there, and what it is run or read for.
    package struct Found: Sendable, Equatable {
        package var direction: Direction
        /// `sha256:` and 64 digits; nil where it cannot be read, and therefore does not run.
        package var checksum: String?
        package var path: String

        package init(_ direction: Direction, _ checksum: String?, _ path: String) {
            self.direction = direction
            self.checksum = checksum
            self.path = path
        }
    }

    /// In what a directory differs from the manifest, a clause for each file; empty where nothing does.
    ///
    /// - Parameters:
    ///   - found: every file that would be run or read, those that apply migrations in the order in which they run.
    ///   - layout: how the directory is read.
    package func differences(from found: [Found], layout: LayoutName) -> [String] {
        // By bytes: what String takes for equal may be two files.
        let listed = Dictionary(entries.map { (Array($0.path.utf8), $0) }, uniquingKeysWith: { first, _ in first })
        let there = Set(found.map { Array($0.path.utf8) })
        var differences: [String] = []
        if layout != self.layout {
            differences.append("the layout is '\(layout.rawValue)' here, and '\(self.layout.rawValue)' in it")
        }
        for file in found {
            guard let entry = listed[Array(file.path.utf8)] else {
                differences.append("'\(file.path)' is not in it")
                continue
            }
            if entry.direction != file.direction {
                differences.append(
                    "'\(file.path)' is '\(file.direction.rawValue)' here, and '\(entry.direction.rawValue)' in it")
            } else if let checksum = file.checksum, checksum != entry.checksum {
                differences.append("'\(file.path)' has another checksum here than in it")
            }
        }
        for entry in entries where !there.contains(Array(entry.path.utf8)) {
            differences.append("it names '\(entry.path)' (\(entry.direction.rawValue)), which is not here")
        }
        guard differences.isEmpty else { return differences }
        let order = entries.filter(\.direction.isOrdered).map(\.path)
        let here = found.filter(\.direction.isOrdered).map(\.path)
        if let place = zip(order, here).first(where: { !$0.utf8.elementsEqual($1.utf8) }) {
            differences.append("'\(place.1)' runs here where it has '\(place.0)' in its order")
        }
        return differences
    }

    /// Whether it lists a file with that checksum under that path.
    package func lists(_ path: String, _ checksum: String) -> Bool {
        entries.contains { $0.checksum == checksum && $0.path.utf8.elementsEqual(path.utf8) }
    }
}
