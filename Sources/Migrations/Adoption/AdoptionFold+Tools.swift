internal import Reporting

extension AdoptionFold {
    /// Prisma: a name may have several rows. It failed where a row is neither finished nor rolled back; it is applied where one is finished
    /// and not rolled back.
    mutating func readPrisma() {
        var groups: [String: [HistoryRow]] = [:]
        var names: [String] = []
        for row in rows {
            let name = row["migration_name"] ?? ""
            if groups.updateValue((groups[name] ?? []) + [row], forKey: name) == nil { names.append(name) }
        }
        for name in names {
            guard let index = index(name: name) else {
                tellMissing(name)
                continue
            }
            let open = groups[name, default: []].filter { $0["rolled_back_at"] == nil }
            if let failed = open.last(where: { $0["finished_at"] == nil }) {
                let log = failed["logs"].map { $0.trimmed.prefix { !$0.isNewline } } ?? ""
                tell(
                    .failedThere, index,
                    "'\(name)' failed there\(log.isEmpty ? "" : ": \(log)"); it stays pending, and a mended file is tried"
                )
            } else if let done = open.last(where: { $0["finished_at"] != nil }) {
                applied[index] = Applied(at: done["finished_at"], recorded: done["checksum"])
            } else {
                tell(.rolledBackThere, index, "'\(name)' was marked as rolled back there and stays pending")
            }
        }
    }

    /// golang-migrate keeps one row: everything up to its version is taken to be applied. Encore may keep one for each version.
    mutating func readGolangMigrate() throws(Complaint) {
        if rows.count > 1, source.tool == .golangMigrate, source.isNamed {
            throw Complaint(
                .configuration, "\(source.table.shown) holds \(rows.count) rows; golang-migrate keeps one",
                hint: "Give '--from encore' where Encore keeps one for each version.")
        }
        guard rows.count == 1, let row = rows.first, let version = row["version"] else {
            for row in rows {
                guard let version = row["version"], version.first != "-" else { continue }
                guard let index = index(number: version) else {
                    tellMissing(version)
                    continue
                }
                if row.isTrue("dirty") {
                    tell(.failedThere, index, "version \(version) failed there and stays pending")
                } else {
                    applied[index] = Applied()
                }
            }
            return
        }
        // A step down from the first version that failed leaves -1.
        guard let mark = Version(version) else { return }
        let exact = index(number: version)
        if exact == nil { tellMissing(version) }
        for (index, migration) in set.migrations.enumerated() where migration.baseline == nil {
            guard let number = AdoptionFold.number(migration), number <= mark else { continue }
            if row.isTrue("dirty"), index == exact {
                tell(.failedThere, index, "version \(version) is dirty there: it failed, and stays pending")
            } else {
                applied[index] = Applied(assumption: .version)
            }
        }
        if source.tool == .encore {
            tell(
                .ambiguous, version,
                "one row means version \(version) alone, or everything up to it; it is taken for everything up to it")
        }
    }

    /// Drizzle: by name as of 1.0; before that by the sum of the text, or else by the journal's time. What is older than the newest row and
    /// has none, the tool has passed over for ever.
    mutating func readDrizzle(_ bytes: (Migration) -> [UInt8]?) {
        var byHash: [String: [Int]] = [:]
        for (index, migration) in set.migrations.enumerated() {
            if let bytes = bytes(migration) { byHash[ToolChecksum.drizzle(of: bytes), default: []].append(index) }
        }
        var newest: Int64?
        var unmatched: [HistoryRow] = []
        for row in rows {
            if let time = row.time { newest = max(newest ?? time, time) }
            let hash = (row["hash"] ?? "").lowercased()
            // Two files may hold the same text: the one of the row's time is meant, or else the first that is not taken.
            let same = byHash[hash, default: []].filter { applied[$0] == nil }
            let found =
                row["name"].flatMap(index(name:))
                ?? same.first { index in row.time.map { isTime($0, of: set.migrations[index]) } == true } ?? same.first
            if let found {
                applied[found] = Applied(at: row["applied_at"], recorded: row["hash"])
            } else {
                unmatched.append(row)
            }
        }
        for row in unmatched {
            let found = set.migrations.indices.first { index in
                applied[index] == nil && row.time.map { isTime($0, of: set.migrations[index]) } == true
            }
            if let found {
                applied[found] = Applied(at: row["applied_at"], recorded: row["hash"])
            } else {
                tellMissing(row["name"] ?? "the row with the time \(row["created_at"] ?? "null")")
            }
        }
        let isNamed = source.table.columns["name"] != nil
        for (index, migration) in set.migrations.enumerated() where applied[index] == nil && !isNamed {
            guard let newest, let time = migration.time, time <= newest else { continue }
            tell(
                .skippedThere, index,
                "'\(migration.name)' is older than the newest row and was never run there; it stays pending")
        }
    }

    /// Times that were upgraded from the old shape, or stand in a folder's name, are cut to the second.
    private func isTime(_ time: Int64, of migration: Migration) -> Bool {
        guard let own = migration.time else { return false }
        return own == time || (own % 1000 == 0 && own / 1000 == time / 1000)
    }

    /// goose: the newest row of a version says whether it is applied.
    mutating func readGoose() {
        var newest: [String: HistoryRow] = [:]
        for row in rows { if let version = row["version_id"], version != "0" { newest[version] = row } }
        for (version, row) in newest.sorted(by: { ($0.key.utf8.count, $0.key) < ($1.key.utf8.count, $1.key) }) {
            guard let index = index(number: version) else {
                if row.isTrue("is_applied") { tellMissing(version) }
                continue
            }
            if row.isTrue("is_applied") {
                applied[index] = Applied(at: row["tstamp"])
            } else {
                tell(.rolledBackThere, index, "version \(version) was undone there and stays pending")
            }
        }
    }

    /// dbmate, diesel, Supabase and MyBatis: one row for each version.
    mutating func readVersions(_ column: String, at time: String) {
        for row in rows {
            guard let version = row[column] else { continue }
            if let index = index(written: version) {
                applied[index] = Applied(at: row[time])
            } else {
                tellMissing(version)
            }
        }
    }

    /// sqlx: one row for each version, with the sum of its text.
    mutating func readSqlx() {
        for row in rows {
            guard let version = row["version"] else { continue }
            guard let index = index(number: version) else {
                tellMissing(version)
                continue
            }
            if row.isTrue("success") {
                applied[index] = Applied(at: row["installed_on"], recorded: row["checksum"])
            } else {
                tell(.failedThere, index, "version \(version) failed there and stays pending")
            }
        }
    }
}

extension HistoryRow {
    /// Drizzle's `created_at`: the journal's time, in milliseconds.
    fileprivate var time: Int64? { self["created_at"].flatMap(Int64.init) }
}
