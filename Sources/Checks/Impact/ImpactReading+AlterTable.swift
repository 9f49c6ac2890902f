internal import SQLParsing

/// The commands of ALTER TABLE, as AlterTableGetLockLevel ranks them.
extension ImpactReading {
    mutating func alterTable(_ fields: TreeNode) {
        guard let table = ObjectName(relation: fields.field("relation")) else { return }
        for command in fields.list("cmds", of: "AlterTableCmd") { alter(table, command) }
    }

    private mutating func alter(_ table: ObjectName, _ command: TreeNode) {
        let column = command.text("name")
        switch command.text("subtype") {
        case "AT_AddColumn": addColumn(table, command)
        case "AT_AlterColumnType":
            lock(
                table, .accessExclusive, .rewrite, "ALTER COLUMN '\(column ?? "")' TYPE", .columnType, column: column,
                type: TypeText(command.node("def")?.fields.field("typeName")))
        case "AT_SetNotNull":
            lock(
                table, .accessExclusive, .scan, "ALTER COLUMN '\(column ?? "")' SET NOT NULL", .notNull, column: column)
        case "AT_AddConstraint", "AT_AddIndexConstraint":
            if let constraint = command.node("def")?.fields { addConstraint(table, constraint) }
        case "AT_DropColumn": lock(table, .accessExclusive, "DROP COLUMN '\(column ?? "")'")
        case "AT_DropConstraint": lock(table, .accessExclusive, "DROP CONSTRAINT '\(column ?? "")'")
        case "AT_ValidateConstraint":
            lock(table, .shareUpdateExclusive, .scan, "VALIDATE CONSTRAINT '\(column ?? "")'")
        case "AT_EnableTrig", "AT_EnableAlwaysTrig", "AT_EnableReplicaTrig", "AT_EnableTrigUser", "AT_EnableTrigAll",
            "AT_DisableTrig", "AT_DisableTrigUser", "AT_DisableTrigAll":
            lock(table, .shareRowExclusive, "ENABLE or DISABLE TRIGGER")
        case "AT_SetStatistics", "AT_SetOptions", "AT_ResetOptions", "AT_ClusterOn", "AT_DropCluster":
            lock(table, .shareUpdateExclusive, "ALTER TABLE")
        case "AT_SetRelOptions", "AT_ResetRelOptions": lock(table, storageMode(command), "SET (…)")
        case "AT_SetLogged", "AT_SetUnLogged":
            lock(table, .accessExclusive, .rewrite, "SET LOGGED or UNLOGGED", .wholeTable)
        case "AT_SetAccessMethod": lock(table, .accessExclusive, .rewrite, "SET ACCESS METHOD", .wholeTable)
        case "AT_SetTableSpace": lock(table, .accessExclusive, .rewrite, "SET TABLESPACE", .wholeTable)
        case "AT_AttachPartition":
            lock(table, .shareUpdateExclusive, "ATTACH PARTITION")
            let partition = command.node("def")?.fields.field("name")
            lock(ObjectName(relation: partition), .accessExclusive, .scan, "ATTACH PARTITION", .partition)
        case "AT_DetachPartition":
            let definition = command.node("def")?.fields
            let concurrent = definition?.flag("concurrent") ?? false
            lock(table, concurrent ? .shareUpdateExclusive : .accessExclusive, "DETACH PARTITION")
            lock(ObjectName(relation: definition?.field("name")), .accessExclusive, "DETACH PARTITION")
        case "AT_DetachPartitionFinalize": lock(table, .shareUpdateExclusive, "DETACH PARTITION FINALIZE")
        default: lock(table, .accessExclusive, "ALTER TABLE")
        }
    }

    /// The parameters that the manual's page of CREATE TABLE lets change beside normal use.
    private func storageMode(_ command: TreeNode) -> LockMode {
        let names = command.node("def")?.fields.list("items", of: "DefElem").compactMap { $0.text("defname") } ?? []
        let gentle = names.allSatisfy {
            $0.hasPrefix("autovacuum") || $0.hasPrefix("toast") || $0.hasPrefix("log_autovacuum")
                || ["fillfactor", "parallel_workers", "vacuum_index_cleanup", "vacuum_truncate"].contains($0)
        }
        return gentle ? .shareUpdateExclusive : .accessExclusive
    }

    private mutating func addColumn(_ table: ObjectName, _ command: TreeNode) {
        guard let definition = command.node("def")?.fields else { return }
        let name = definition.text("colname") ?? ""
        let constraints = definition.list("constraints", of: "Constraint")
        let kinds = constraints.compactMap { $0.text("contype") }
        let fallback = constraints.first { $0.text("contype") == "CONSTR_DEFAULT" }
        let isNull = fallback.map { $0.node("raw_expr")?.fields.flag("isnull") ?? false } ?? true
        let serial = TypeText(definition.field("typeName"))?.isSerial ?? false
        let fills = !isNull || serial || kinds.contains("CONSTR_IDENTITY") || kinds.contains("CONSTR_GENERATED")
        var work = StatementImpact.Work.neither
        var cause = StatementImpact.Cause.other
        if kinds.contains("CONSTR_GENERATED") {
            (work, cause) = (.rewrite, .generated)
        } else if serial || kinds.contains("CONSTR_IDENTITY") || Volatility.isVolatile(fallback?.field("raw_expr")) {
            (work, cause) = (.rewrite, .volatileDefault)
        } else if !fills, kinds.contains("CONSTR_NOTNULL") || kinds.contains("CONSTR_PRIMARY") {
            (work, cause) = (.scan, .requiredColumn)
        } else if kinds.contains("CONSTR_CHECK") {
            (work, cause) = (.scan, .check)
        } else if kinds.contains("CONSTR_UNIQUE") || kinds.contains("CONSTR_PRIMARY") {
            (work, cause) = (.scan, .index)
        }
        lock(
            table, .accessExclusive, work, "ADD COLUMN '\(name)'", cause, column: name, at: definition.location)
        for constraint in constraints where constraint.text("contype") == "CONSTR_FOREIGN" {
            if fills {
                lock(
                    table, .shareRowExclusive, .scan, "ADD FOREIGN KEY", .foreignKey, column: name,
                    at: constraint.location)
            }
            lock(ObjectName(relation: constraint.field("pktable")), .shareRowExclusive, "REFERENCES")
        }
    }

    private mutating func addConstraint(_ table: ObjectName, _ constraint: TreeNode) {
        let name = constraint.text("conname").map { " '\($0)'" } ?? ""
        let offset = constraint.location
        let unchecked = constraint.flag("skip_validation")
        switch constraint.text("contype") {
        case "CONSTR_FOREIGN":
            lock(
                table, .shareRowExclusive, unchecked ? .neither : .scan, "ADD FOREIGN KEY\(name)", .foreignKey,
                at: offset)
            lock(ObjectName(relation: constraint.field("pktable")), .shareRowExclusive, "REFERENCES", at: offset)
        case "CONSTR_CHECK", "CONSTR_NOTNULL":
            lock(
                table, .accessExclusive, unchecked ? .neither : .scan, "ADD CONSTRAINT\(name)", .check, at: offset)
        case "CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION":
            let ready = constraint.has("indexname")
            lock(
                table, .accessExclusive, ready ? .neither : .scan, "ADD CONSTRAINT\(name)", .index, at: offset)
        default: lock(table, .accessExclusive, "ADD CONSTRAINT\(name)")
        }
    }
}
