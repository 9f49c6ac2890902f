internal import SQLParsing

/// Reads from one statement which tables it locks.
struct ImpactReading {
    var locks: [StatementImpact.Lock] = []

    /// Adds a lock under which nothing is done that takes longer with more rows.
    mutating func lock(_ name: ObjectName?, _ mode: LockMode, _ action: String, at offset: Int? = nil) {
        lock(name, mode, .neither, action, at: offset)
    }

    /// Adds a lock and what is done under it.
    mutating func lock(
        _ name: ObjectName?, _ mode: LockMode, _ work: StatementImpact.Work, _ action: String,
        _ cause: StatementImpact.Cause = .other, column: String? = nil, type: TypeText? = nil,
        at offset: Int? = nil
    ) {
        guard let name else { return }
        locks.append(
            StatementImpact.Lock(
                mode: mode, work: work, action: action, name: name, cause: cause, column: column, type: type,
                offset: offset))
    }

    /// The table that a statement creates.
    static func created(_ node: String, _ fields: TreeNode) -> ObjectName? {
        switch node {
        case "CreateStmt": ObjectName(relation: fields.field("relation"))
        case "CreateForeignTableStmt": ObjectName(relation: fields.field("base")?.field("relation"))
        case "CreateTableAsStmt": ObjectName(relation: fields.field("into")?.field("rel"))
        case "SelectStmt": ObjectName(relation: fields.field("intoClause")?.field("rel"))
        default: nil
        }
    }

    mutating func read(_ node: String, _ fields: TreeNode) {
        switch node {
        case "AlterTableStmt": alterTable(fields)
        case "CreateStmt": createTable(fields)
        case "IndexStmt":
            let name = ObjectName(relation: fields.field("relation"))
            if fields.flag("concurrent") {
                lock(name, .shareUpdateExclusive, .scan, "CREATE INDEX CONCURRENTLY")
            } else {
                lock(name, .share, .scan, "CREATE INDEX", .createIndex)
            }
        case "DropStmt": drop(fields)
        case "RenameStmt": rename(fields)
        case "AlterObjectSchemaStmt":
            lock(ObjectName(relation: fields.field("relation")), .accessExclusive, "SET SCHEMA")
        case "TruncateStmt":
            for relation in fields.list("relations", of: "RangeVar") {
                lock(ObjectName(relation: relation), .accessExclusive, "TRUNCATE")
            }
        case "LockStmt":
            let mode = fields.integer("mode").flatMap(LockMode.init(number:)) ?? .accessExclusive
            for relation in fields.list("relations", of: "RangeVar") {
                lock(ObjectName(relation: relation), mode, "LOCK TABLE")
            }
        case "CreateTrigStmt":
            lock(ObjectName(relation: fields.field("relation")), .shareRowExclusive, "CREATE TRIGGER")
            lock(ObjectName(relation: fields.field("constrrel")), .shareRowExclusive, "CREATE TRIGGER")
        case "CreatePolicyStmt":
            lock(ObjectName(relation: fields.field("table")), .accessExclusive, "CREATE POLICY")
        case "AlterPolicyStmt": lock(ObjectName(relation: fields.field("table")), .accessExclusive, "ALTER POLICY")
        case "RuleStmt": lock(ObjectName(relation: fields.field("relation")), .accessExclusive, "CREATE RULE")
        case "CreateStatsStmt":
            for relation in fields.list("relations", of: "RangeVar") {
                lock(ObjectName(relation: relation), .shareUpdateExclusive, "CREATE STATISTICS")
            }
        case "CommentStmt" where ["OBJECT_TABLE", "OBJECT_COLUMN"].contains(fields.text("objtype") ?? ""):
            var parts = fields.node("object")?.fields.strings("items") ?? []
            if fields.text("objtype") == "OBJECT_COLUMN" { parts = parts.dropLast() }
            lock(ObjectName(parts: parts), .shareUpdateExclusive, "COMMENT")
        case "AlterSeqStmt":
            lock(ObjectName(relation: fields.field("sequence")), .shareRowExclusive, "ALTER SEQUENCE")
        case "ViewStmt" where fields.flag("replace"):
            lock(ObjectName(relation: fields.field("view")), .accessExclusive, "CREATE OR REPLACE VIEW")
        case "RefreshMatViewStmt":
            let name = ObjectName(relation: fields.field("relation"))
            if fields.flag("concurrent") {
                lock(name, .exclusive, .scan, "REFRESH MATERIALIZED VIEW CONCURRENTLY", .materializedView)
            } else {
                lock(name, .accessExclusive, .rewrite, "REFRESH MATERIALIZED VIEW", .materializedView)
            }
        case "VacuumStmt": vacuum(fields)
        case "ClusterStmt":
            lock(ObjectName(relation: fields.field("relation")), .accessExclusive, .rewrite, "CLUSTER", .wholeTable)
        case "ReindexStmt": reindex(fields)
        case "InsertStmt": lock(ObjectName(relation: fields.field("relation")), .rowExclusive, "INSERT")
        case "UpdateStmt":
            lock(ObjectName(relation: fields.field("relation")), .rowExclusive, scan(fields), "UPDATE")
        case "DeleteStmt":
            lock(ObjectName(relation: fields.field("relation")), .rowExclusive, scan(fields), "DELETE")
        case "MergeStmt": lock(ObjectName(relation: fields.field("relation")), .rowExclusive, "MERGE")
        case "CopyStmt":
            let mode: LockMode = fields.flag("is_from") ? .rowExclusive : .accessShare
            lock(ObjectName(relation: fields.field("relation")), mode, "COPY")
        case "CreatePublicationStmt", "AlterPublicationStmt":
            for table in fields.descendants(with: "relname") {
                lock(ObjectName(relation: table), .shareUpdateExclusive, "PUBLICATION")
            }
        case "SelectStmt" where !fields.nodes("lockingClause").isEmpty:
            for relation in fields.list("fromClause", of: "RangeVar") {
                lock(ObjectName(relation: relation), .rowShare, "SELECT … FOR")
            }
        default: break
        }
    }

    private func scan(_ fields: TreeNode) -> StatementImpact.Work { fields.has("whereClause") ? .neither : .scan }

    /// A new table waits for nobody; the ones it refers to do.
    private mutating func createTable(_ fields: TreeNode) {
        let own = ObjectName(relation: fields.field("relation"))
        let parentMode: LockMode = fields.has("partbound") ? .accessExclusive : .shareUpdateExclusive
        for parent in fields.list("inhRelations", of: "RangeVar") {
            lock(ObjectName(relation: parent), parentMode, fields.has("partbound") ? "PARTITION OF" : "INHERITS")
        }
        for constraint in fields.descendants(with: "pktable") {
            let name = ObjectName(relation: constraint.field("pktable"))
            if name != own { lock(name, .shareRowExclusive, "REFERENCES", at: constraint.location) }
        }
    }

    private mutating func drop(_ fields: TreeNode) {
        let objects = fields.nodes("objects").map { $0.fields.strings("items") }
        switch fields.text("removeType") {
        case "OBJECT_TABLE": for parts in objects { lock(ObjectName(parts: parts), .accessExclusive, "DROP TABLE") }
        case "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_FOREIGN_TABLE":
            for parts in objects { lock(ObjectName(parts: parts), .accessExclusive, "DROP VIEW") }
        case "OBJECT_INDEX":
            // Its table, which only the catalog knows, is locked as strongly.
            let concurrent = fields.flag("concurrent")
            for parts in objects {
                lock(
                    ObjectName(parts: parts), concurrent ? .shareUpdateExclusive : .accessExclusive,
                    concurrent ? "DROP INDEX CONCURRENTLY" : "DROP INDEX")
            }
        case "OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE":
            for parts in objects { lock(ObjectName(parts: parts.dropLast()), .accessExclusive, "DROP") }
        default: break
        }
    }

    private mutating func rename(_ fields: TreeNode) {
        let index = fields.text("renameType") == "OBJECT_INDEX"
        lock(
            ObjectName(relation: fields.field("relation")), index ? .shareUpdateExclusive : .accessExclusive, "RENAME")
    }

    private mutating func vacuum(_ fields: TreeNode) {
        let full = fields.list("options", of: "DefElem").contains { $0.text("defname") == "full" }
        let what = fields.flag("is_vacuumcmd") ? "VACUUM" : "ANALYZE"
        for relation in fields.list("rels", of: "VacuumRelation") {
            let name = ObjectName(relation: relation.field("relation"))
            if full {
                lock(name, .accessExclusive, .rewrite, "VACUUM FULL", .wholeTable)
            } else {
                lock(name, .shareUpdateExclusive, .scan, what)
            }
        }
    }

    private mutating func reindex(_ fields: TreeNode) {
        let name = ObjectName(relation: fields.field("relation"))
        let concurrent = fields.list("params", of: "DefElem").contains { $0.text("defname") == "concurrently" }
        if concurrent {
            lock(name, .shareUpdateExclusive, .scan, "REINDEX CONCURRENTLY")
        } else {
            // SHARE on the table, ACCESS EXCLUSIVE on each index: whoever plans a query waits for those.
            lock(name, .share, .scan, "REINDEX", .createIndex)
        }
    }
}
