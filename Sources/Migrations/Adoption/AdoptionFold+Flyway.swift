extension AdoptionFold {
    /// Flyway: rows in the order of their rank; later ones undo, delete or repeat what earlier ones did.
    mutating func readFlyway() {
        for row in rows {
            let type = (row["type"] ?? "").uppercased()
            if type == "SCHEMA" { continue }
            guard let version = row["version"] else {
                readRepeatable(row, deleted: type == "DELETE")
                continue
            }
            if type == "BASELINE" {
                readBaseline(upTo: version)
                continue
            }
            let found = type.hasSuffix("_BASELINE") ? index(written: "B" + version) : index(number: version)
            guard let found else {
                if type.hasPrefix("UNDO") || type == "DELETE" {
                    findings.removeAll { $0.kind == .notInFolder && $0.name == version }
                } else if !findings.contains(where: { $0.kind == .notInFolder && $0.name == version }) {
                    tellMissing(version)
                }
                continue
            }
            forget(found)
            switch (type, row.isTrue("success")) {
            case ("DELETE", _): break
            case (let type, true) where type.hasPrefix("UNDO"):
                tell(.rolledBackThere, found, "version \(version) was undone there and stays pending")
            case (let type, false) where type.hasPrefix("UNDO"):
                applied[found] = Applied(at: row["installed_on"], match: .notKept)
            case (_, true): applied[found] = Applied(at: row["installed_on"], recorded: row["checksum"])
            case (_, false):
                tell(.failedThere, found, "version \(version) failed there and stays pending")
            }
        }
    }

    /// A later row takes the place of what an earlier one said.
    private mutating func forget(_ index: Int) {
        applied[index] = nil
        told.remove(index)
        findings.removeAll { $0.name == set.migrations[index].name }
    }

    private mutating func readBaseline(upTo text: String) {
        guard let mark = Version(text) else { return }
        for (index, migration) in set.migrations.enumerated() where applied[index] == nil && migration.baseline == nil {
            if let number = AdoptionFold.number(migration), number <= mark {
                applied[index] = Applied(assumption: .version)
            }
        }
    }

    /// What is repeatable has no version: its description, which is the title with blanks for underscores, names it.
    private mutating func readRepeatable(_ row: HistoryRow, deleted: Bool) {
        let description = row["description"] ?? ""
        let found = set.migrations.firstIndex {
            $0.repeatable && $0.name.dropFirst(3).replacing("_", with: " ") == description
        }
        guard let found else {
            if !deleted, !findings.contains(where: { $0.kind == .notInFolder && $0.name == description }) {
                tellMissing(description)
            }
            return
        }
        forget(found)
        if deleted { return }
        if row.isTrue("success") {
            applied[found] = Applied(at: row["installed_on"], recorded: row["checksum"])
        } else {
            tell(.failedThere, found, "'\(set.migrations[found].name)' failed there and stays pending")
        }
    }
}
