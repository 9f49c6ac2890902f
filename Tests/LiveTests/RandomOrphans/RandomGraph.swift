import Reporting

/// Tables between which keys with every action exist already, in circles too, over partitions and heirs, all of them valid; and one or
/// two keys that are new.
///
/// Rows are made in the model first: table `i` has the ids `nodes[i].ids`, and a column that an existing key constrains only takes
/// values that the key allows.
struct RandomGraph {
    /// How an id and the columns that refer to it are written.
    enum Kind: CaseIterable { case int, numeric, text, char, citext }

    struct Reference {
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

    struct Node {
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
    struct Edge {
        var source: Int
        var column: String
        var target: Int
        var isFromLeaf: Bool
        var isToLeaf: Bool
        var isNew: Bool
        var isFull = false
    }

    var random: CaseRandom
    let server: OrphanServer
    let seed: Int
    var nodes: [Node] = []
    var edges: [Edge] = []
    var ddl = ""
    var keys: [NewKey] = []
    let names: NameMaker

    static func make(seed: Int, on server: OrphanServer) -> OrphanCase {
        var graph = RandomGraph(seed, server)
        return graph.make()
    }

    init(_ seed: Int, _ server: OrphanServer) {
        random = CaseRandom(seed: seed, harness: 2)
        names = NameMaker(&random)
        (self.server, self.seed) = (server, seed)
    }

    mutating func make() -> OrphanCase {
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

    mutating func addNode(_ index: Int, _ kinds: [Kind]) {
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
    func ids(_ index: Int, leaf: Bool) -> Set<Int> {
        leaf ? nodes[index].ids.filter { $0 <= 6 } : nodes[index].ids
    }

    mutating func addEdge(isNew: Bool, from twin: Edge? = nil) {
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
    mutating func settle() {
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
}
