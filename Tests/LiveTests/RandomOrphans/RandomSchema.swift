import Reporting

/// A child and a parent of random types, shapes and names, and the one key between them that is new.
struct RandomSchema {
    private var random: CaseRandom
    private let server: OrphanServer
    private let seed: Int
    private let names: NameMaker
    private var ddl = """
        CREATE TYPE pair AS (a int, b text);
        CREATE TYPE mood AS ENUM ('sad', 'ok', 'ha''ppy');
        CREATE TYPE rec AS (p pair, l int[], r regclass);
        CREATE DOMAIN words AS text CHECK (VALUE <> 'zzz');
        CREATE DOMAIN list AS int[];

        """
    private var child: TableText
    private var parent: TableText
    private var key: NewKey
    private let isSelf: Bool
    private let isPartitioned: (child: Bool, parent: Bool)

    /// A referencing column, and whether it may become null.
    private struct Reference {
        var name: String
        var isFree: Bool
        var isGenerated: Bool
    }
    private var references: [Reference] = []

    static func make(seed: Int, on server: OrphanServer) -> OrphanCase {
        var schema = RandomSchema(seed, server)
        return schema.make()
    }

    private init(_ seed: Int, _ server: OrphanServer) {
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

    private mutating func make() -> OrphanCase {
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
    private mutating func identify() {
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

    private mutating func addPair(_ place: Int) {
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
    private mutating func written(_ type: ColumnType, _ rule: String, _ place: Int) -> String {
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

    private mutating func payload(_ place: Int) -> TableText.Column {
        let (type, values) = random.pick(ColumnFamily.payload)
        return TableText.Column(name: names.name("x\(place)", &random), definition: type, values: values, nulls: 20)
    }

    // MARK: The key and what surrounds it

    private mutating func finishKey() {
        key.isFull = references.count == 2 && random.percent(45)
        let partitionKey = isPartitioned.child && child.constraints.first == "PRIMARY KEY (id)" && random.percent(40)
        if isPartitioned.child {
            if child.columns.contains(where: \.isNumbered), !partitionKey,
                random.percent(60) || !child.constraints.isEmpty
            {
                child.partitioning = " PARTITION BY HASH (id)"
            } else {
                // The key's own column: what becomes null moves to another partition.
                child.partitioning = " PARTITION BY LIST (\(Quoting.identifier(references[0].name)))"
                child.constraints = child.constraints.map { _ in
                    "PRIMARY KEY (id, \(Quoting.identifier(references[0].name)))"
                }
                if !child.constraints.isEmpty { require(0) }
            }
        }
        let free = references.filter { $0.isFree && !$0.isGenerated }.map(\.name)
        key.nullable = key.isFull && free.count < references.count ? [] : free
        let isQuiet = references.contains(where: \.isGenerated) && random.percent(80)
        if !isQuiet, random.percent(50) {
            key.options = "ON DELETE " + random.pick(["CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION"])
            if key.options.contains("SET"), server.version >= 150000, random.percent(40) {
                let named = [random.pick(references)]
                key.options += " (\(Quoting.identifiers(named.map(\.name))))"
                let wanted = key.nullable.filter { name in named.contains { $0.name == name } }
                if !wanted.isEmpty, !key.isFull { key.nullable = wanted }
            }
        }
        if !isQuiet, random.percent(30) {
            key.options += " ON UPDATE " + random.pick(["CASCADE", "SET NULL", "RESTRICT"])
        }
        if random.percent(20) {
            key.options += random.pick([" DEFERRABLE", " DEFERRABLE INITIALLY DEFERRED", " NOT DEFERRABLE"])
        }
        key.options = String(key.options.drop { $0 == " " })
    }

    private mutating func require(_ place: Int) {
        references[place].isFree = false
        if let index = child.columns.firstIndex(where: { $0.name == references[place].name }) {
            child.columns[index].nulls = 0
        }
    }

    private mutating func unique() -> (constraint: String, index: String) {
        let columns = Quoting.identifiers(key.parentColumns)
        let table = isSelf ? child : parent
        let isFilled = table.columns.filter { key.parentColumns.contains($0.name) }.allSatisfy { $0.nulls == 0 }
        let hasPrimary = isSelf && child.constraints.contains { $0.hasPrefix("PRIMARY") }
        switch random.number(0...9) {
        case 0..<4 where isFilled && !hasPrimary:
            key.isTerse = random.percent(40)
            return ("PRIMARY KEY (\(columns))", "")
        case 4..<8: return ("UNIQUE (\(columns))", "")
        case 8:
            return (
                "", "CREATE UNIQUE INDEX ON \(table.quoted) (\(Quoting.identifiers(key.parentColumns.reversed())));\n"
            )
        default: return ("UNIQUE (\(columns))", "CREATE INDEX ON \(table.quoted) (\(columns));\n")
        }
    }

    private mutating func write() {
        if isSelf, isPartitioned.child {
            // Unique columns of a partitioned table hold its partition key.
            child.constraints = []
            child.partitioning = " PARTITION BY LIST (\(Quoting.identifier(key.parentColumns[0])))"
        }
        let (constraint, index) = unique()
        let dependent = isSelf ? nil : dependentTable()
        if !constraint.isEmpty {
            if isSelf { child.constraints.append(constraint) } else { parent.constraints.append(constraint) }
        }
        if !isSelf {
            if isPartitioned.parent {
                parent.partitioning = " PARTITION BY LIST (\(Quoting.identifier(key.parentColumns[0])))"
            }
            create(parent, key.parentColumns[0])
        }
        create(child, isSelf ? key.parentColumns[0] : references[0].name)
        ddl += index
        if !isSelf { ddl += parent.rows(1...random.number(1...7), &random) }
        let hasTwins = child.constraints.isEmpty && random.percent(50)
        ddl += child.rows(1...random.number(1...24), twins: hasTwins ? 30 : 0, &random)
        for table in isSelf ? [child] : [child, parent] where table.partitioning.isEmpty && random.percent(12) {
            let heir = table.name == child.name ? "heir" : "parent_heir"
            ddl += "CREATE TABLE \(heir) (own int DEFAULT 1) INHERITS (\(table.quoted));\n"
            ddl += table.rows(100...104, into: heir, &random)
        }
        if let dependent { ddl += dependent }
    }

    private mutating func create(_ table: TableText, _ listed: String) {
        ddl += table.create(&random)
        guard !table.partitioning.isEmpty else { return }
        if table.partitioning.contains("HASH") {
            for remainder in 0...1 {
                ddl += table.partition(
                    "part\(remainder)", "FOR VALUES WITH (MODULUS 2, REMAINDER \(remainder))", &random)
            }
        } else {
            let stem = table.name == child.name ? "part" : "parent_part"
            let value = table.columns.first { $0.name == listed }?.values.first ?? ""
            ddl += table.partition(stem + "0", "FOR VALUES IN (\(Quoting.literal(value)))", &random)
            ddl += table.partition(stem + "1", "DEFAULT", &random)
        }
    }

    /// Rows that hang on the child's by a key that exists already.
    private mutating func dependentTable() -> String? {
        guard random.percent(40), let place = child.columns.firstIndex(where: \.isNumbered), !child.constraints.isEmpty,
            !child.partitioning.contains("LIST"),
            !child.partitioning.contains("HASH") || child.constraints[0].contains("id")
        else { return nil }
        let kinds =
            [
                ("int", "bigint"), ("numeric(9,2)", "int"), ("char(6)", "text"), ("char(6)", "char(9)"),
                ("text", "char(4)"),
            ]
            + (server.hasCitext ? [("public.citext", "public.citext")] : [])
        let (own, other) = child.partitioning.isEmpty ? random.pick(kinds) : ("int", "bigint")
        let isText = own.contains("c") && !own.contains("numeric") || own == "text"
        let ids = isText ? (0..<40).map { "K\($0)" } : (0..<40).map(String.init)
        child.columns[place].definition = child.columns[place].definition.replacing("int", with: own)
        child.columns[place].values = ids
        let action = random.pick(["CASCADE", "CASCADE", "SET NULL", "SET DEFAULT", "NO ACTION", "RESTRICT"])
        let values = own == "public.citext" ? ids.map { $0.lowercased() } : ids
        return """
            CREATE TABLE dependent (n int\(random.percent(60) ? " PRIMARY KEY" : ""), child_id \(other), x jsonb DEFAULT 'null');
            INSERT INTO dependent SELECT n, v.v::\(other) FROM pg_catalog.unnest(ARRAY[\(values.map(Quoting.literal).joined(separator: ", "))])
                WITH ORDINALITY AS v(v, n) WHERE EXISTS (SELECT FROM ONLY@ \(child.quoted) AS c WHERE c.id = v.v::\(own)) AND n % 3 > 0;
            ALTER TABLE dependent ADD CONSTRAINT dependent_key FOREIGN KEY (child_id) REFERENCES \(child.quoted) (id) ON DELETE \(action);

            """.replacing("ONLY@", with: child.partitioning.isEmpty ? "ONLY" : "")
    }
}
