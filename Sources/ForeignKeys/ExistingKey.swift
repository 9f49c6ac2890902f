internal import Reporting

/// What already stands where a key is to be added.
enum ExistingKey {
    case none
    case same(ForeignKeyFacts.Constraint)
    case different(Complaint, lines: [String])

    /// Compares what the two definitions mean, not how they are written; `resolved` are the referenced columns.
    init(_ key: ForeignKey, _ facts: ForeignKeyFacts, resolved: [String]) {
        func isSame(_ constraint: ForeignKeyFacts.Constraint) -> Bool {
            guard let found = constraint.key else { return false }
            return found.columns.exact == key.columns.exact && found.referencedColumns.exact == resolved.exact
                && found.match == key.match
                && found.onUpdate == key.onUpdate && found.onDelete == key.onDelete
                && Set(found.onDeleteColumns.exact) == Set(key.onDeleteColumns.exact)
                && found.isDeferrable == key.isDeferrable
                && found.isInitiallyDeferred == key.isInitiallyDeferred
        }
        guard let name = key.name else {
            self = facts.constraints.first(where: isSame).map(ExistingKey.same) ?? .none
            return
        }
        guard let found = facts.constraints.first(where: { $0.name.exact == name.exact }) else {
            self = .none
            return
        }
        if isSame(found) {
            self = .same(found)
            return
        }
        let table = facts.table?.qualified ?? key.table
        let wanted = key.definition(
            referenced: facts.referenced?.qualified ?? key.referenced, columns: resolved, notValid: key.isNotValid)
        self = .different(
            Complaint(
                .failed, "constraint '\(name)' of '\(table.text)' exists with another definition",
                hint: "It is '\(found.definition)', and the file says '\(wanted)'."),
            lines: ["in the database: \(found.definition)", "in the file:     \(wanted)"])
    }
}
