internal import Digest
internal import Reporting

/// Tools whose files hold both directions, and Atlas.
extension AdoptionFold {
    /// sql-migrate, node-pg-migrate and rambler: one row for each file's name, with or without its suffix.
    mutating func readNames(_ column: String, at time: String) {
        for row in rows {
            guard let recorded = row[column] else { continue }
            let name = recorded.hasSuffix(".sql") ? String(recorded.dropLast(4)) : recorded
            if let index = index(name: name) {
                applied[index] = Applied(at: row[time], recorded: row["checksum"].flatMap { $0.isEmpty ? nil : $0 })
            } else {
                tellMissing(name)
            }
        }
    }

    /// tern keeps one row: everything up to its version is taken to be applied.
    mutating func readTern() throws(Complaint) {
        guard rows.count == 1, let version = rows.first?["version"] else {
            throw Complaint(
                .configuration, "\(source.table.shown) holds \(rows.count) rows; tern keeps one",
                hint: "Look whether another tool has made it, and name that one with --from.")
        }
        guard let mark = Version(version), mark != Version("0") else { return }
        if index(number: version) == nil { tellMissing(version) }
        for (index, migration) in set.migrations.enumerated() {
            guard let number = AdoptionFold.number(migration), number <= mark else { continue }
            applied[index] = Applied(assumption: .version)
        }
    }

    /// Play: one row for each number, with the texts that were run; it failed where its state is not `applied`.
    mutating func readPlay(_ bytes: (Migration) -> [UInt8]?) {
        for row in rows {
            guard let id = row["id"] else { continue }
            guard let index = index(number: id) else {
                tellMissing(id)
                continue
            }
            guard row["state"] == nil || row["state"] == "applied" else {
                tell(
                    .failedThere, index,
                    "evolution \(id) is in state '\(row["state"] ?? "")' there: it failed, and stays pending")
                continue
            }
            let migration = set.migrations[index]
            // A file that cannot be read as a migration is reported as unread; that it cannot run is said where it is planned.
            var match = ChecksumMatch.unread
            if let text = bytes(migration), let file = try? MigrationFile(migration: migration, bytes: text) {
                let same = [(row["apply_script"], MigrationFile.Way.up), (row["revert_script"], .down)].allSatisfy {
                    ToolChecksum.lines($0.0 ?? "")
                        == ToolChecksum.lines(String(decoding: file.text(for: $0.1), as: UTF8.self))
                }
                match = same ? .same : .different
            }
            applied[index] = Applied(at: row["applied_at"], match: match)
        }
    }

    /// Atlas: one row for each version, with the sum of all files up to it; a baseline stands for everything up to its version.
    mutating func readAtlas(_ bytes: (Migration) -> [UInt8]?) {
        var sums: [Int: String] = [:]
        var chain = AtlasChain()
        for (index, migration) in set.migrations.enumerated() {
            guard let text = bytes(migration) else { break }
            sums[index] = chain.add(migration.path, text)
        }
        for row in rows {
            guard let version = row["version"], !version.hasPrefix(".") else { continue }
            let type = row["type"].flatMap(Int.init) ?? 0
            if type & 1 != 0 {
                for (index, migration) in set.migrations.enumerated()
                where applied[index] == nil && !NameOrder.bytes(version, migration.version) {
                    applied[index] = Applied(assumption: .version)
                }
                continue
            }
            guard let index = index(written: version) else {
                tellMissing(version)
                continue
            }
            if row["error"].map({ !$0.isEmpty }) == true || row["applied"] != row["total"], type & 4 == 0 {
                tell(
                    .failedThere, index,
                    "version \(version) failed there after \(row["applied"] ?? "0") of \(row["total"] ?? "?") statements, and stays pending"
                )
                continue
            }
            let recorded = row["hash"].map { $0.hasPrefix("h1:") ? String($0.dropFirst(3)) : $0 }
            let match: ChecksumMatch =
                switch (recorded, sums[index]) {
                case (nil, _), ("", _): .notKept
                case (_, nil): .unread
                case (let recorded?, let sum?): recorded == sum ? .same : .different
                }
            applied[index] = Applied(at: row["executed_at"], match: match)
        }
    }
}
