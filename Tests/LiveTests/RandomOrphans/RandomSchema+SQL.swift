import Reporting

extension RandomSchema {
    mutating func finishKey() {
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
                // A key to the own table brings a unique constraint of its own instead.
                if !child.constraints.isEmpty, !isSelf { require(0) }
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

    mutating func require(_ place: Int) {
        references[place].isFree = false
        if let index = child.columns.firstIndex(where: { $0.name == references[place].name }) {
            child.columns[index].nulls = 0
        }
    }

    mutating func unique() -> (constraint: String, index: String) {
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

    mutating func write() {
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

    mutating func create(_ table: TableText, _ listed: String) {
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
    mutating func dependentTable() -> String? {
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
