/// Hasura, graphile-migrate, PGmigrate, Liquibase and sqitch.
extension AdoptionFold {
    /// Hasura: one row for each version of each of its databases. The folder is that database's which knows most of its versions.
    mutating func readHasura() {
        var sources: [String: [HistoryRow]] = [:]
        for row in rows { sources[row["source"] ?? "", default: []].append(row) }
        let known = sources.sorted { $0.key < $1.key }.map { source, rows in
            (source, rows, rows.count { $0["version"].flatMap { index(number: $0) } != nil })
        }
        guard let best = known.max(by: { $0.2 < $1.2 }) else { return }
        if known.count > 1 {
            tell(
                .ambiguous, best.0,
                "the state holds the databases \(known.map { "'\($0.0)'" }.joined(separator: " and ")); this folder is taken for that of '\(best.0)'"
            )
        }
        for row in best.1 {
            guard let version = row["version"] else { continue }
            guard let index = index(number: version) else {
                tellMissing(version)
                continue
            }
            if row.isTrue("dirty") {
                tell(.failedThere, index, "version \(version) is dirty there: it failed, and stays pending")
            } else {
                applied[index] = Applied()
            }
        }
    }

    /// graphile-migrate: one row for each committed file, without the title in its name, with its hash.
    mutating func readGraphile(_ bytes: (Migration) -> [UInt8]?) {
        for row in rows {
            guard let file = row["filename"] else { continue }
            guard let number = MarkedFiles.digits(file), let index = index(number: number) else {
                tellMissing(file)
                continue
            }
            let path = set.migrations[index].path
            // A file whose head cannot be read is another than the one that was committed.
            let header = bytes(set.migrations[index]).map { try? GraphileHeader($0, path: path) }
            let match: ChecksumMatch =
                switch header {
                case nil: .unread
                case .some(let header):
                    header?.hash == row["hash"] || header?.computed == row["hash"] ? .same : .different
                }
            applied[index] = Applied(at: row["date"], match: match)
        }
    }

    /// PGmigrate: one row for each version; one that was forced as a baseline stands for everything up to it.
    mutating func readPgmigrate() {
        for row in rows {
            guard let version = row["version"] else { continue }
            if row["type"] == "manual", let mark = Version(version) {
                for (index, migration) in set.migrations.enumerated() where applied[index] == nil {
                    if let number = AdoptionFold.number(migration), number <= mark {
                        applied[index] = Applied(at: row["installed_on"], assumption: .version)
                    }
                }
            } else if let index = index(number: version) {
                applied[index] = Applied(at: row["installed_on"])
            } else {
                tellMissing(version)
            }
        }
    }

    /// Liquibase: one row for each changeset. A file is applied where all of its changesets are.
    mutating func readLiquibase(_ bytes: (Migration) -> [UInt8]?) {
        var executed: [String: [String: HistoryRow]] = [:]
        for row in rows where ["EXECUTED", "RERAN", "MARK_RAN"].contains(row["exectype"] ?? "") {
            let file = (row["filename"] ?? "").split(separator: "/").last.map(String.init) ?? ""
            executed[file, default: [:]]["\(row["author"] ?? ""):\(row["id"] ?? "")"] = row
        }
        for (index, migration) in set.migrations.enumerated() {
            let file = migration.name + ".sql"
            guard let done = executed.removeValue(forKey: file), let text = bytes(migration) else { continue }
            let all = LiquibaseChangeset.all(in: text)
            let open = all.filter { done["\($0.author):\($0.id)"] == nil }
            let last = done.values.max {
                ($0["orderexecuted"].flatMap(Int.init) ?? 0) < ($1["orderexecuted"].flatMap(Int.init) ?? 0)
            }
            if open.isEmpty {
                applied[index] = Applied(at: last?["dateexecuted"])
            } else {
                tell(
                    .failedThere, index,
                    "\(all.count - open.count) of \(all.count) changesets of '\(file)' ran there: let Liquibase run the others before the file is adopted; it stays pending"
                )
            }
        }
        for file in executed.keys.sorted() { tellMissing(file) }
    }

    /// sqitch: one row for each change, with the SHA-1 of its file. A change that was reworked has a row for each of its files.
    mutating func readSqitch() {
        var times: [String: Int] = [:]
        for row in rows {
            guard let change = row["change"] else { continue }
            // The earlier files of a reworked change are called after the tag up to which they were it.
            let files = set.migrations.indices.filter {
                set.migrations[$0].name == change || set.migrations[$0].name.hasPrefix(change + "@")
            }
            let place = times[change, default: 0]
            times[change] = place + 1
            guard place < files.count else {
                tellMissing(change)
                continue
            }
            applied[files[place]] = Applied(at: row["committed_at"], recorded: row["script_hash"])
        }
    }
}
