internal import Digest
internal import Reporting

extension HistoryTable {
    /// The keys of the advisory locks under which the tool itself changes this table; none where it takes none.
    ///
    /// golang-migrate has two, for it makes its key of the database's name with or without a slash, as the program connects.
    public func lockKeys(database: String) -> [Int64] {
        switch tool {
        case .prisma: [72_707_369]
        case .golangMigrate, .encore: ["/" + database, database].map(golangMigrateKey)
        case .flyway:
            [77_431_708_279_161 + javaHash("\(Quoting.qualified([table.schema, table.name]))")]
        case .goose: [Int64(CRC32.of("goose".utf8))]
        case .sqlx: [0x3d32_ad9e * Int64(CRC32.of(database.utf8))]
        case .nodePgMigrate: [7_241_865_325_823_964]
        case .tern: [9_628_173_550_095_224]
        case .drizzle, .dbmate, .diesel, .supabase, .atlas, .sqlMigrate, .mybatis, .rambler, .play, .hasura, .graphile,
            .pgmigrate, .liquibase, .sqitch:
            []
        }
    }

    private func golangMigrateKey(_ database: String) -> Int64 {
        let name = [table.schema, table.name, database].joined(separator: "\0")
        return Int64(CRC32.of(name.utf8) &* 1_486_364_155)
    }

    private func javaHash(_ text: String) -> Int64 {
        Int64(text.utf16.reduce(Int32(0)) { $0 &* 31 &+ Int32($1) })
    }
}
