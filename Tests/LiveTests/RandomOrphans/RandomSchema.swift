import Reporting

/// A child and a parent of random types, shapes and names, and the one key between them that is new.
struct RandomSchema {
    var random: CaseRandom
    let server: OrphanServer
    let seed: Int
    let names: NameMaker
    var ddl = """
        CREATE TYPE pair AS (a int, b text);
        CREATE TYPE mood AS ENUM ('sad', 'ok', 'ha''ppy');
        CREATE TYPE rec AS (p pair, l int[], r regclass);
        CREATE DOMAIN words AS text CHECK (VALUE <> 'zzz');
        CREATE DOMAIN list AS int[];

        """
    var child: TableText
    var parent: TableText
    var key: NewKey
    let isSelf: Bool
    let isPartitioned: (child: Bool, parent: Bool)

    /// A referencing column, and whether it may become null.
    struct Reference {
        var name: String
        var isFree: Bool
        var isGenerated: Bool
    }
    var references: [Reference] = []

    static func make(seed: Int, on server: OrphanServer) -> OrphanCase {
        var schema = RandomSchema(seed, server)
        return schema.make()
    }

    init(_ seed: Int, _ server: OrphanServer) {
        var random = CaseRandom(seed: seed, harness: 1)
        names = NameMaker(&random)
        child = TableText(name: names.name("child", &random))
        isSelf = random.percent(18)
        parent = TableText(name: isSelf ? child.name : names.name("parent", &random))
        let partition = random.percent(22)
        isPartitioned = (partition, isSelf ? partition : random.percent(15))
        key = NewKey(
            name: names.name("new_key", &random), table: child.name, columns: [], parent: parent.name,
            parentColumns: [],
            nullable: [])
        (self.random, self.server, self.seed) = (random, server, seed)
    }

    mutating func make() -> OrphanCase {
        let width = random.percent(35) ? 2 : 1
        identify()
        for place in 0..<width { addPair(place) }
        if width == 2, random.percent(4) {
            let filled = references.map { Quoting.identifier($0.name) + " IS NOT NULL" }
            child.checks.append("CONSTRAINT two CHECK (\(filled.joined(separator: " AND ")))")
            for index in child.columns.indices { child.columns[index].nulls = 0 }
        }
        for place in 0..<random.number(0...3) {
            child.columns.insert(payload(place), at: random.number(0...child.columns.count))
        }
        if !isSelf, random.percent(40) {
            parent.columns.insert(payload(9), at: random.number(0...parent.columns.count))
        }
        finishKey()
        write()
        var made = OrphanCase(seed: seed, ddl: ddl.replacing("@", with: ""), keys: [key])
        made.isPlain = !isSelf && !ddl.contains("dependent_key")
        made.isValidatedApart = !isPartitioned.child && random.percent(8)
        made.isUnqualified = random.percent(20)
        return made
    }

    // MARK: Columns

    /// The child's own number, as a key or not.
    mutating func identify() {
        child.columns.append(TableText.Column(name: "id", definition: "int", isNumbered: true))
        switch random.number(0...9) {
        case 0..<5: child.constraints.append("PRIMARY KEY (id)")
        case 5: child.constraints.append("UNIQUE (id)")
        case 6:
            child.columns[0].definition += " NOT NULL"
            child.constraints.append("UNIQUE (id)")
        case 7: child.columns.removeAll()
        default: break
        }
    }

    mutating func addPair(_ place: Int) {
        let family = ColumnFamily.pick(&random, on: server)
        let parentType = random.pick(family)
        let childType = random.percent(55) ? parentType : random.pick(family)
        let parentName = names.name("k\(place)", &random)
        let childName = names.name("r\(place)", &random)
        var parentColumn = TableText.Column(
            name: parentName, definition: written(parentType, "", place), values: parentType.values, nulls: 0)
        if random.percent(15) { parentColumn.nulls = 20 }
        let required = random.percent(45)
        var column = TableText.Column(
            name: childName, definition: "", values: childType.values, nulls: required ? 0 : 20)
        var reference = Reference(name: childName, isFree: !required, isGenerated: false)
        let quoted = Quoting.identifier(childName)
        var check = ""
        switch (required, random.number(0...9)) {
        case (true, 0..<4): column.definition = written(childType, "", place) + " NOT NULL"
        case (true, 4): column.definition = written(childType, "NOT NULL", place)
        case (true, 5): column.definition = written(childType, "CHECK (VALUE IS NOT NULL)", place)
        case (true, 6):
            column.definition = written(childType, "CONSTRAINT filled CHECK ((VALUE IS NULL) = false)", place)
        case (true, 7): check = "\(quoted) IS NOT NULL"
        case (true, _): check = "NOT (\(quoted) IS NULL) AND (\(quoted) IS NOT NULL OR 1 = 0)"
        case (false, 0): column.definition = written(childType, "CHECK (VALUE IS NULL OR VALUE IS NOT NULL)", place)
        case (false, 1): column.definition = written(childType, "DEFAULT NULL", place)
        case (false, 2): check = "\(quoted) IS NULL OR \(quoted) IS NOT NULL"
        default: break
        }
        if column.definition.isEmpty { column.definition = written(childType, "", place) }
        if !check.isEmpty { child.checks.append("CONSTRAINT \"check\(place)\" CHECK (\(check))") }
        if place == 0, !isPartitioned.child, random.percent(6) {
            var base = column
            base.name = "base"
            base.definition = written(childType, "", 7)
            child.columns.append(base)
            column.definition += " GENERATED ALWAYS AS (base) STORED"
            column.values = []
            reference.isGenerated = true
        }
        child.columns.append(column)
        references.append(reference)
        if isSelf { child.columns.append(parentColumn) } else { parent.columns.append(parentColumn) }
        key.columns.append(childName)
        key.parentColumns.append(parentName)
    }

    /// The type as a column has it: with a collation of its own, or behind a domain that has it and `rule`.
    mutating func written(_ type: ColumnType, _ rule: String, _ place: Int) -> String {
        var text = type.name
        if type.isText, random.percent(20) {
            // citext compares by its own rules in one place and by the collation in another: ON CONFLICT never ends with it.
            let isLoose = server.hasICU && !type.name.contains("citext")
            text +=
                " COLLATE "
                + random.pick(["pg_catalog.\"C\"", "pg_catalog.\"POSIX\""] + (isLoose ? ["public.loose"] : []))
        }
        guard !rule.isEmpty || random.percent(8) else { return text }
        let name = "d\(ddl.utf8.count)"
        ddl += "CREATE DOMAIN \(name) AS \(text) \(rule);\n"
        guard random.percent(40) else { return name }
        ddl += "CREATE DOMAIN \(name)b AS \(name);\n"
        return name + "b"
    }

    mutating func payload(_ place: Int) -> TableText.Column {
        let (type, values) = random.pick(ColumnFamily.payload)
        return TableText.Column(name: names.name("x\(place)", &random), definition: type, values: values, nulls: 20)
    }
}
