import JSON
import Testing

@testable import ForeignKeys

@Suite struct `The planner` {
    private func facts(_ change: (inout ForeignKeyFacts) -> Void = { _ in }) throws -> ForeignKeyFacts {
        let table: JSONValue = [
            "schema": "public", "name": "c", "kind": "r", "estimate": 10, "row_security": false, "lockable": true,
        ]
        var facts = try ForeignKeyFacts(
            Array(
                JSONValue.object([
                    "server_version": 150_000, "table": table,
                    "referenced": [
                        "schema": "public", "name": "a_p", "kind": "r", "estimate": 10, "row_security": false,
                        "lockable": true,
                    ],
                    "columns": [["name": "p", "type": "integer", "required": true, "generated": false]],
                    "referenced_columns": [["name": "id", "type": "integer", "required": true, "generated": false]],
                    "equality": ["OPERATOR(pg_catalog.=)"], "key": ["id"],
                    "rows": [["name": "id", "plain": true], ["name": "p", "plain": true]],
                ]).text.utf8))
        change(&facts)
        return facts
    }

    private let key = ForeignKey(table: TableName("c"), columns: ["p"], referenced: TableName("a_p"))

    private func plan(
        _ key: ForeignKey, _ facts: ForeignKeyFacts, _ change: (inout ForeignKeyPolicy) -> Void = { _ in }
    )
        -> ForeignKeyStatementPlan
    {
        var policy = ForeignKeyPolicy()
        policy.orphans = .clean
        policy.indexes = true
        change(&policy)
        return ForeignKeyPlanner(policy, quotedHistory: "\"migrated\"").plan([(key, facts)])
    }

    private func steps(_ plan: ForeignKeyStatementPlan) throws -> [ForeignKeyStep] {
        guard case .steps(let steps) = try #require(plan.keys.first) else {
            Issue.record("no steps but \(plan.keys)")
            return []
        }
        return steps
    }

    @Test func `adds without proof, cleans, proves and indexes`() throws {
        let plan = plan(key, try facts())
        #expect(try steps(plan).map(\.purpose) == [.add, .clean, .validate, .index])
        #expect(plan.opening.map(\.purpose) == [.session, .lock])
        #expect(plan.opening[1].sql == "LOCK TABLE \"public\".\"a_p\", \"public\".\"c\" IN SHARE ROW EXCLUSIVE MODE")
        #expect(
            try steps(plan)[0].sql
                == "ALTER TABLE \"public\".\"c\" ADD CONSTRAINT \"c_p_fkey\" FOREIGN KEY (\"p\") REFERENCES \"public\".\"a_p\" (\"id\") NOT VALID"
        )
    }

    @Test func `the defaults change nothing`() throws {
        let steps = try steps(plan(key, try facts()) { $0 = ForeignKeyPolicy() })
        #expect(steps.map(\.sql) == ["ALTER TABLE \"c\" ADD FOREIGN KEY (\"p\") REFERENCES \"a_p\""])
        #expect(ForeignKeyPolicy().leavesFilesAlone)
    }

    @Test func `a partitioned table is cleaned first, and needs no detour from PostgreSQL 18 on`() throws {
        #expect(try steps(plan(key, try facts { $0.table?.kind = "p" })).map(\.purpose) == [.clean, .add, .index])
        let newer = try facts {
            $0.table?.kind = "p"
            $0.serverVersion = 180_000
        }
        #expect(try steps(plan(key, newer)).map(\.purpose) == [.add, .clean, .validate, .index])
    }

    @Test func `a nullable column becomes null, a generated one cannot`() throws {
        let nullable = try facts { $0.columns[0]?.isRequired = false }
        #expect(try steps(plan(key, nullable))[1].record?.event == "orphans_nullified")
        let generated = try facts {
            $0.columns[0]?.isRequired = false
            $0.columns[0]?.isGenerated = true
        }
        #expect(try steps(plan(key, generated))[1].record?.event == "orphans_deleted")
    }

    @Test func `what is missing is put off, or left to the server`() throws {
        let noTable = try facts { $0.referenced = nil }
        #expect(plan(key, noTable) { $0.missingTable = .skip }.keys == [.deferred(.table(TableName("a_p")))])
        #expect(try steps(plan(key, noTable)).map(\.purpose) == [.add])
        let noColumn = try facts { $0.columns[0] = nil }
        #expect(
            plan(key, noColumn) { $0.missingTable = .skip }.keys == [
                .deferred(.column(table: TableName("c"), column: "p"))
            ])
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
        #expect(plan(named, facts).keys == [.exists(constraint: "k", definition: "FOREIGN KEY (p) REFERENCES a_p(id)")])
        named.onDelete = .cascade
        guard case .refused(let complaint, let lines) = try #require(plan(named, facts).keys.first) else {
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
        #expect(try steps(plan(key, facts)).map(\.purpose) == [.clean, .validate, .index])
    }

    @Test func `names are PostgreSQL's own, free and short enough`() throws {
        let long = String(repeating: "ä", count: 40)
        let facts = try facts {
            $0.takenConstraints = ["c_p_fkey", "c_p_fkey1"]
            $0.takenRelations = ["c_p_idx"]
        }
        let found = try steps(plan(key, facts))
        #expect(found[0].sql.contains("\"c_p_fkey2\""))
        #expect(found[3].record?.object == "public.c_p_idx1")
        let wide = try self.facts { $0.table?.name = long }
        let name = try #require(steps(plan(key, wide))[3].record?.object.dropFirst(7))
        #expect(name.utf8.count <= 63 && name.hasSuffix("_p_idx"))
    }

    @Test func `an index whose first columns are the key's in any order covers it`() throws {
        #expect(
            try steps(plan(key, try facts { $0.indexes = [["p", "x"]] })).map(\.purpose) == [.add, .clean, .validate])
        #expect(try steps(plan(key, try facts { $0.indexes = [["x", "p"]] })).last?.purpose == .index)
    }

    @Test func `the limit is a number of rows or a share`() {
        #expect(OrphanLimit.share(percent: 10).allows(10, of: 100))
        #expect(!OrphanLimit.share(percent: 10).allows(11, of: 100))
        #expect(OrphanLimit.rows(5).allows(5, of: 5))
        #expect(!OrphanLimit.rows(5).allows(6, of: 1000))
        #expect(OrphanLimit.share(percent: 10).allows(0, of: 0))
    }

    @Test func `checks that wait in the queue are done first`() throws {
        let plan = plan(key, try facts { $0.deferred = ["public.x"] })
        #expect(plan.opening.map(\.sql).contains("SET CONSTRAINTS public.x IMMEDIATE"))
        #expect(plan.closing.map(\.sql).contains("SET CONSTRAINTS public.x DEFERRED"))
    }
}
