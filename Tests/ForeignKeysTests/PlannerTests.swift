import JSON
import Reporting
import Testing

@testable import ForeignKeys

@Suite struct `The planner` {
    private func facts(_ change: (inout ForeignKeyFacts) -> Void = { _ in }) throws -> ForeignKeyFacts {
        let table: JSONValue = [
            "schema": "public", "name": "c", "kind": "r", "oid": 1, "estimate": 10, "row_security": false,
            "lockable": true,
        ]
        var facts = try ForeignKeyFacts(
            Array(
                JSONValue.object([
                    "server_version": 150_000, "table": table,
                    "referenced": [
                        "schema": "public", "name": "a_p", "kind": "r", "oid": 2, "estimate": 10, "row_security": false,
                        "lockable": true,
                    ],
                    "columns": [["name": "p", "type": "integer", "required": true, "generated": false]],
                    "referenced_columns": [["name": "id", "type": "integer", "required": true, "generated": false]],
                    "equality": [["operator": "OPERATOR(pg_catalog.=)"]], "key": ["id"],
                    "rows": [["name": "id", "plain": true], ["name": "p", "plain": true]],
                ]).text.utf8))
        change(&facts)
        return facts
    }

    private let key = ForeignKey(table: TableName("c"), columns: ["p"], referenced: TableName("a_p"))

    private func planner(_ change: (inout ForeignKeyPolicy) -> Void = { _ in }) -> ForeignKeyPlanner {
        var policy = ForeignKeyPolicy()
        policy.orphans = .clean
        policy.indexes = true
        change(&policy)
        return ForeignKeyPlanner(policy, quotedHistory: "\"migrated\"")
    }

    private func plan(
        _ key: ForeignKey, _ facts: ForeignKeyFacts, _ change: (inout ForeignKeyPolicy) -> Void = { _ in }
    ) -> ForeignKeyPlan {
        var names = ChosenNames()
        return planner(change).plan(key, facts, &names)
    }

    private func steps(_ plan: ForeignKeyPlan) throws -> [ForeignKeyStep] {
        guard case .steps(let steps, _) = plan else {
            Issue.record("no steps but \(plan)")
            return []
        }
        return steps
    }

    private func cleaning(_ plan: ForeignKeyPlan) throws -> Cleaning {
        guard case .steps(_, let cleaning?) = plan else { throw Complaint(.bug, "nothing is cleaned") }
        return cleaning
    }

    @Test func `cleans behind the locks, adds the key over clean rows and indexes`() throws {
        let facts = try facts()
        let plan = plan(key, facts)
        #expect(try steps(plan).map(\.purpose) == [.add, .index])
        let opening = planner().opening([(key, facts)])
        #expect(opening.map(\.purpose) == [.session, .lock])
        #expect(opening[1].sql == "LOCK TABLE \"public\".\"a_p\", \"public\".\"c\" IN SHARE ROW EXCLUSIVE MODE")
        #expect(
            try steps(plan)[0].sql
                == "ALTER TABLE \"public\".\"c\" ADD CONSTRAINT \"c_p_fkey\" FOREIGN KEY (\"p\") REFERENCES \"public\".\"a_p\" (\"id\")"
        )
        let cleaning = try cleaning(plan)
        #expect(cleaning.deletes && !cleaning.isObserved && !cleaning.repeats)
    }

    @Test func `what may reach further is observed, and repeated until nothing is left`() throws {
        #expect(try cleaning(plan(key, try facts { $0.reachesFurther = true })).isObserved)
        #expect(try cleaning(plan(key, try facts { $0.needsPinnedText = true })).isObserved)
        #expect(try cleaning(plan(key, try facts { $0.reachesFurther = true })).repeats)
    }

    @Test func `the key is asked in a savepoint, or as it stands`() throws {
        let asked = try #require(planner().probe(key, try facts()))
        #expect(asked.addsKey)
        #expect(asked.sql.contains("NOT VALID") && asked.sql.hasSuffix("RELEASE SAVEPOINT migrated_probe"))
        #expect(planner { $0.orphans = .fail }.probe(key, try facts()) == nil)
        // A partitioned table without a partition has no rows.
        #expect(planner().probe(key, try facts { $0.table?.kind = "p" }) == nil)
        let leaf = try facts {
            $0.table?.kind = "p"
            $0.leaf = TableName(schema: "public", "c1")
        }
        #expect(planner().probe(key, leaf)?.sql.contains("ALTER TABLE \"public\".\"c1\"") == true)
        var found = key
        found.referencedColumns = ["id"]
        let standing = try facts {
            $0.constraints = [.init(name: "k", type: "f", definition: "", key: found, isValidated: false)]
        }
        #expect(planner().probe(key, standing)?.addsKey == false)
    }

    @Test func `the defaults change nothing`() throws {
        let steps = try steps(plan(key, try facts()) { $0 = ForeignKeyPolicy() })
        #expect(steps.map(\.sql) == ["ALTER TABLE \"c\" ADD FOREIGN KEY (\"p\") REFERENCES \"a_p\""])
        #expect(ForeignKeyPolicy().leavesFilesAlone)
    }

    @Test func `a nullable column becomes null, a generated one cannot`() throws {
        let nullable = try facts { $0.columns[0]?.isRequired = false }
        #expect(!(try cleaning(plan(key, nullable)).deletes))
        let generated = try facts {
            $0.columns[0]?.isRequired = false
            $0.columns[0]?.isGenerated = true
        }
        #expect(try cleaning(plan(key, generated)).deletes)
    }

    @Test func `what is missing is put off, or left to the server`() throws {
        let noTable = try facts { $0.referenced = nil }
        #expect(plan(key, noTable) { $0.missingTable = .skip } == .deferred(.table(TableName("a_p"))))
        #expect(try steps(plan(key, noTable)).map(\.purpose) == [.add])
        let noColumn = try facts { $0.columns[0] = nil }
        #expect(
            plan(key, noColumn) { $0.missingTable = .skip } == .deferred(.column(table: TableName("c"), column: "p")))
    }

    @Test func `a key of the same name is compared by meaning`() throws {
        var named = key
        named.name = "k"
        var found = named
        found.referencedColumns = ["id"]
        let facts = try facts {
            $0.constraints = [
                .init(
                    name: "k", type: "f", definition: "FOREIGN KEY (p) REFERENCES a_p(id)", key: found,
                    isValidated: true)
            ]
        }
        #expect(plan(named, facts) == .exists(constraint: "k", definition: "FOREIGN KEY (p) REFERENCES a_p(id)"))
        named.onDelete = .cascade
        guard case .refused(let complaint, let lines) = plan(named, facts) else {
            Issue.record("taken")
            return
        }
        #expect(complaint.message == "constraint 'k' of 'public.c' exists with another definition")
        #expect(lines.count == 2)
    }

    @Test func `a key that was added and not proved is taken up where it stood`() throws {
        var found = key
        found.referencedColumns = ["id"]
        let facts = try facts {
            $0.constraints = [.init(name: "k", type: "f", definition: "", key: found, isValidated: false)]
        }
        #expect(try steps(plan(key, facts)).map(\.purpose) == [.validate, .index])
    }

    @Test func `names are PostgreSQL's own, free and short enough`() throws {
        let long = String(repeating: "ä", count: 40)
        let facts = try facts {
            $0.takenConstraints = ["c_p_fkey", "c_p_fkey1"]
            $0.takenRelations = ["c_p_idx"]
        }
        let found = try steps(plan(key, facts))
        #expect(found[0].sql.contains("\"c_p_fkey2\""))
        #expect(found[1].record?.object == "public.c_p_idx1")
        let wide = try self.facts { $0.table?.name = long }
        let name = try #require(steps(plan(key, wide))[1].record?.object.dropFirst(7))
        #expect(name.utf8.count <= 63 && name.hasSuffix("_p_idx"))
    }

    @Test func `an index whose first columns are the key's in any order covers it`() throws {
        #expect(
            try steps(plan(key, try facts { $0.indexes = [["p", "x"]] })).map(\.purpose) == [.add])
        #expect(try steps(plan(key, try facts { $0.indexes = [["x", "p"]] })).last?.purpose == .index)
    }

    @Test func `the limit is a number of rows or a share`() {
        #expect(OrphanLimit.share(percent: 10).allows(10, of: 100))
        #expect(!OrphanLimit.share(percent: 10).allows(11, of: 100))
        #expect(OrphanLimit.rows(5).allows(5, of: 5))
        #expect(!OrphanLimit.rows(5).allows(6, of: 1000))
        #expect(OrphanLimit.share(percent: 10).allows(0, of: 0))
        #expect(OrphanLimit.share(percent: 100).allows(7, of: 0))
    }

    @Test func `checks that wait in the queue are done first`() throws {
        let wanted = [(key: key, facts: try facts { $0.deferred = ["public.x"] })]
        #expect(planner().opening(wanted).map(\.sql).contains("SET CONSTRAINTS public.x IMMEDIATE"))
        #expect(planner().closing(wanted).map(\.sql).contains("SET CONSTRAINTS public.x DEFERRED"))
    }
}
