import Reporting

extension RandomGraph {
    func type(_ kind: Kind, referencing: Bool) -> String {
        switch kind {
        case .int: referencing ? "bigint" : "int"
        case .numeric: referencing ? "int" : "numeric(8,2)"
        case .text: "text"
        case .char: referencing ? "text" : "char(4)"
        case .citext: "public.citext"
        }
    }

    func value(_ id: Int, _ kind: Kind, lower: Bool = false) -> String {
        switch kind {
        case .int, .numeric: "\(id)"
        case .text, .char: "'K\(id)'"
        case .citext: lower ? "'k\(id)'" : "'K\(id)'"
        }
    }

    mutating func write(_ index: Int) {
        let node = nodes[index]
        let table = Quoting.identifier(node.name)
        var lines: [String] = []
        if node.ancestor == nil {
            lines = [
                "id \(type(node.kind, referencing: false))", "tenant int\(node.isTenantRequired ? " NOT NULL" : "")",
            ]
        }
        for reference in node.references {
            let fallback = reference.fallback.map { " DEFAULT \(value($0, reference.kind))" } ?? ""
            lines.append(
                "\(reference.name) \(type(reference.kind, referencing: true))\(fallback)\(reference.isRequired ? " NOT NULL" : "")"
            )
            if let tenant = reference.tenant, tenant != "tenant" {
                lines.append("\(tenant) int\(reference.fallback.map { " DEFAULT \($0 % 3)" } ?? "")")
            }
        }
        lines.append("\(node.ancestor == nil ? "note" : "note\(index)") text")
        if random.percent(25) { lines.insert("gone\(index) int", at: random.number(0...lines.count - 1)) }
        let gap = lines.contains("gone\(index) int")
        if node.isReferable {
            lines += [node.hasPrimaryKey ? "PRIMARY KEY (id)" : "UNIQUE (id)", "UNIQUE (tenant, id)"]
        } else if node.hasPrimaryKey {
            lines.append("PRIMARY KEY (id)")
        }
        ddl += "CREATE TABLE \(table) (\(lines.joined(separator: ", ")))"
        ddl += node.ancestor.map { " INHERITS (\(Quoting.identifier(nodes[$0].name)))" } ?? ""
        ddl += node.isPartitioned ? " PARTITION BY LIST (id);\n" : ";\n"
        if gap { ddl += "ALTER TABLE \(table) DROP COLUMN gone\(index);\n" }
        guard node.isPartitioned else { return }
        let values = (1...6).map { value($0, node.kind) }.joined(separator: ", ")
        ddl += "CREATE TABLE \(Quoting.identifier(leaf(index))) PARTITION OF \(table) FOR VALUES IN (\(values));\n"
        ddl += "CREATE TABLE \(Quoting.identifier(node.name + "r")) PARTITION OF \(table) DEFAULT;\n"
    }

    func leaf(_ index: Int) -> String { nodes[index].name + "l" }

    mutating func fill(_ index: Int) {
        let node = nodes[index]
        for id in node.ids.sorted() {
            var columns = ["id", "tenant", node.ancestor == nil ? "note" : "note\(index)"]
            // A nullable tenant is null only where no key of two columns counts on it.
            var values = [value(id, node.kind), "\(id % 3)", random.percent(30) ? "NULL" : "'n\(id)'"]
            for reference in node.references {
                var choices = (reference.allowed ?? Set(1...14)).sorted()
                if reference.tenant == "tenant", reference.allowed != nil {
                    choices = choices.filter { $0 % 3 == id % 3 }
                }
                let isNull = !reference.isRequired && random.percent(20)
                guard !isNull, let chosen = choices.isEmpty ? nil : random.pick(choices) else {
                    columns.append(reference.name)
                    values.append(reference.isRequired ? "DEFAULT" : "NULL")
                    if let tenant = reference.tenant, tenant != "tenant" {
                        columns.append(tenant)
                        values.append("NULL")
                    }
                    continue
                }
                columns.append(reference.name)
                values.append(value(chosen, reference.kind, lower: random.percent(50)))
                guard let tenant = reference.tenant, tenant != "tenant" else { continue }
                columns.append(tenant)
                values.append(
                    reference.allowed == nil && random.percent(15) ? random.pick(["NULL", "0", "1"]) : "\(chosen % 3)")
            }
            let row =
                "INSERT INTO \(Quoting.identifier(node.name)) (\(columns.joined(separator: ", "))) VALUES (\(values.joined(separator: ", ")));\n"
            ddl += row
            if !node.isReferable, random.percent(15) {
                ddl +=
                    "INSERT INTO \(Quoting.identifier(node.name)) SELECT * FROM \(Quoting.identifier(node.name)) AS x WHERE x.id = \(value(id, node.kind)) AND NOT EXISTS (SELECT FROM pg_catalog.pg_index WHERE indrelid = x.tableoid) LIMIT 1;\n"
            }
        }
    }

    mutating func add(_ edge: Edge, _ number: Int) {
        let reference = nodes[edge.source].references.first { $0.name == edge.column }
        let tenant = reference?.tenant
        let table = edge.isFromLeaf ? leaf(edge.source) : nodes[edge.source].name
        var key = NewKey(
            name: edge.isNew ? names.name("n\(number)", &random) : "e\(number)", table: table,
            columns: [tenant, edge.column].compactMap { $0 },
            parent: edge.isToLeaf ? leaf(edge.target) : nodes[edge.target].name,
            parentColumns: tenant == nil ? ["id"] : ["tenant", "id"], isFull: edge.isFull, nullable: [])
        var free: [String] = []
        if let tenant, tenant != "tenant" || !nodes[edge.source].isTenantRequired { free.append(tenant) }
        if let reference, !reference.isRequired { free.append(reference.name) }
        if edge.column == "id", !nodes[edge.source].hasPrimaryKey { free.append("id") }
        key.nullable = key.isFull && free.count < key.columns.count ? [] : free
        let actions = ["CASCADE", "CASCADE", "SET NULL", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION"]
        if random.percent(75) {
            let action = random.pick(actions)
            key.options = "ON DELETE \(action)"
            if action.hasPrefix("SET"), server.version >= 150000, random.percent(30) {
                let named = random.pick(key.columns)
                key.options += " (\(named))"
                if !key.isFull, key.nullable.contains(named) { key.nullable = [named] }
            }
        }
        if random.percent(50) { key.options += " ON UPDATE \(random.pick(actions))" }
        if random.percent(15) { key.options += random.pick([" DEFERRABLE", " DEFERRABLE INITIALLY DEFERRED"]) }
        key.options = String(key.options.drop { $0 == " " })
        if edge.isNew {
            keys.append(key)
        } else {
            ddl += "ALTER TABLE \(Quoting.identifier(table)) \(key.definition(""));\n"
        }
    }
}
