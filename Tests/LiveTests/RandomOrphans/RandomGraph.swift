import Reporting

/// Tables between which keys with every action exist already, in circles too, over partitions and heirs, all of them valid; and one or
/// two keys that are new.
///
/// Rows are made in the model first: table `i` has the ids `nodes[i].ids`, and a column that an existing key constrains only takes
/// values that the key allows.
struct RandomGraph {
    /// How an id and the columns that refer to it are written.
    private enum Kind: CaseIterable { case int, numeric, text, char, citext }

    private struct Reference {
        var name: String
        /// Whose ids it holds.
        var kind: Kind
        /// What an existing key allows; nil where none does.
        var allowed: Set<Int>?
        var isRequired: Bool
        var fallback: Int?
        /// The column for the tenant that goes with it, where the key has two columns.
        var tenant: String?
    }

    private struct Node {
        var name: String
        var kind: Kind
        var ids: Set<Int>
        var references: [Reference] = []
        var isPartitioned = false
        /// The node that this one inherits its columns from.
        var ancestor: Int?
        var isTenantRequired: Bool
        var hasPrimaryKey: Bool
        /// Whether another key can point at it at all.
        var isReferable = true
    }

    /// An existing key or a new one: a column of one node, and the table that it refers to, the leaf where a partitioned one's is meant.
    private struct Edge {
        var source: Int
        var column: String
        var target: Int
        var isFromLeaf: Bool
        var isToLeaf: Bool
        var isNew: Bool
        var isFull = false
    }

    private var random: CaseRandom
    private let server: OrphanServer
    private let seed: Int
    private var nodes: [Node] = []
    private var edges: [Edge] = []
    private var ddl = ""
    private var keys: [NewKey] = []
    private let names: NameMaker

    static func make(seed: Int, on server: OrphanServer) -> OrphanCase {
        var graph = RandomGraph(seed, server)
        return graph.make()
    }

    private init(_ seed: Int, _ server: OrphanServer) {
        random = CaseRandom(seed: seed, harness: 2)
        names = NameMaker(&random)
        (self.server, self.seed) = (server, seed)
    }

    private mutating func make() -> OrphanCase {
        let kinds = random.percent(50) ? [Kind.int] : Kind.allCases.filter { server.hasCitext || $0 != .citext }
        for index in 0..<random.number(2...6) { addNode(index, kinds) }
        for _ in 0..<random.number(1...7) { addEdge(isNew: false) }
        let isJoint = random.percent(50)
        for _ in 0..<(random.percent(45) ? 2 : 1) {
            addEdge(isNew: true, from: isJoint ? edges.last.flatMap { $0.isNew ? $0 : nil } : nil)
        }
        settle()
        for index in nodes.indices { write(index) }
        for index in nodes.indices { fill(index) }
        for (number, edge) in edges.enumerated() { add(edge, number) }
        let isOneTable = keys.count == 2 && keys[0].table == keys[1].table
        var made = OrphanCase(seed: seed, ddl: ddl, keys: keys, isJoint: isJoint && isOneTable)
        made.isUnqualified = random.percent(15)
        return made
    }

    // MARK: The model

    private mutating func addNode(_ index: Int, _ kinds: [Kind]) {
        var node = Node(
            name: names.name("t\(index)", &random), kind: random.pick(kinds),
            ids: Set((1...12).filter { _ in random.percent(70) } + [random.number(1...12)]),
            isTenantRequired: random.percent(60), hasPrimaryKey: random.percent(75))
        switch random.number(0...9) {
        case 0, 1: node.isPartitioned = true
        case 2 where index > 0:
            let ancestor = random.number(0...index - 1)
            if !nodes[ancestor].isPartitioned, nodes[ancestor].ancestor == nil {
                node.ancestor = ancestor
                node.kind = nodes[ancestor].kind
                node.isTenantRequired = nodes[ancestor].isTenantRequired
                if nodes[ancestor].hasPrimaryKey { node.hasPrimaryKey = true }
            }
        case 3: node.isReferable = false
        default: break
        }
        nodes.append(node)
    }

    /// The ids of the rows in the leaf: a partitioned table's smaller ones.
    private func ids(_ index: Int, leaf: Bool) -> Set<Int> {
        leaf ? nodes[index].ids.filter { $0 <= 6 } : nodes[index].ids
    }

    private mutating func addEdge(isNew: Bool, from twin: Edge? = nil) {
        let referable = nodes.indices.filter { nodes[$0].isReferable }
        guard !referable.isEmpty else {
            nodes[0].isReferable = true
            return addEdge(isNew: isNew, from: twin)
        }
        let source = twin?.source ?? random.number(0...nodes.count - 1)
        let target = random.pick(referable)
        var edge = Edge(
            source: source, column: "", target: target,
            isFromLeaf: twin?.isFromLeaf ?? (nodes[source].isPartitioned && random.percent(25)),
            isToLeaf: nodes[target].isPartitioned && random.percent(35), isNew: isNew)
        let places = nodes[source].references.indices.filter { nodes[source].references[$0].kind == nodes[target].kind }
        if nodes[source].kind == nodes[target].kind, source != target, random.percent(8) {
            edge.column = "id"
        } else if !places.isEmpty, random.percent(30) {
            edge.column = nodes[source].references[random.pick(places)].name
        } else {
            edge.column = "r\(edges.count)"
            let required = random.percent(35)
            // Sorted: sets of Swift are in another order in each process.
            var reference = Reference(
                name: edge.column, kind: nodes[target].kind, isRequired: required,
                fallback: random.percent(50) ? random.pick(nodes[target].ids.sorted()) : nil)
            if random.percent(30) { reference.tenant = random.percent(40) ? "tenant" : "q\(edges.count)" }
            nodes[source].references.append(reference)
        }
        // PostgreSQL refuses a key between a partition and its own root.
        if source == target, !isNew { edge.isToLeaf = edge.isFromLeaf }
        let reference = nodes[source].references.first { $0.name == edge.column }
        // Beside a tenant that is never null, an existing MATCH FULL key would not hold.
        edge.isFull = random.percent(25) && (isNew || reference?.tenant != "tenant")
        edges.append(edge)
    }

    /// Takes ids out and values away until every existing key holds.
    private mutating func settle() {
        // Rows of an heir have nothing but defaults in the columns that they inherit.
        for ancestor in nodes.compactMap(\.ancestor) {
            for place in nodes[ancestor].references.indices { nodes[ancestor].references[place].isRequired = false }
        }
        for _ in 0...nodes.count {
            for edge in edges where !edge.isNew {
                let allowed = ids(edge.target, leaf: edge.isToLeaf)
                if edge.column == "id" { nodes[edge.source].ids.formIntersection(allowed) }
                for place in nodes[edge.source].references.indices
                where nodes[edge.source].references[place].name == edge.column {
                    nodes[edge.source].references[place].allowed =
                        (nodes[edge.source].references[place].allowed ?? allowed)
                        .intersection(allowed)
                }
            }
        }
    }

    // MARK: As SQL

    private func type(_ kind: Kind, referencing: Bool) -> String {
        switch kind {
        case .int: referencing ? "bigint" : "int"
        case .numeric: referencing ? "int" : "numeric(8,2)"
        case .text: "text"
        case .char: referencing ? "text" : "char(4)"
        case .citext: "public.citext"
        }
    }

    private func value(_ id: Int, _ kind: Kind, lower: Bool = false) -> String {
        switch kind {
        case .int, .numeric: "\(id)"
        case .text, .char: "'K\(id)'"
        case .citext: lower ? "'k\(id)'" : "'K\(id)'"
        }
    }

    private mutating func write(_ index: Int) {
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

    private func leaf(_ index: Int) -> String { nodes[index].name + "l" }

    private mutating func fill(_ index: Int) {
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

    private mutating func add(_ edge: Edge, _ number: Int) {
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
