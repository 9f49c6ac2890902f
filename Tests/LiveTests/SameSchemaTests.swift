import LiveSupport
import Testing

/// Foreign keys are cut out of their statements and added behind them: what stands afterwards must be what PostgreSQL itself makes of the file.
@Suite struct `Keys that go through the planner` {
    /// Named and not, in columns and beside them, several for one column, beside other commands, with names that others have taken.
    private static let tables = """
        CREATE TABLE users (id int PRIMARY KEY, tenant int NOT NULL, code text UNIQUE, UNIQUE (id, tenant));
        CREATE TABLE "Mixed Case" ("Id" int PRIMARY KEY);
        CREATE SCHEMA other;
        CREATE TABLE other.t (id int PRIMARY KEY);
        CREATE TABLE a (
          id int PRIMARY KEY REFERENCES users,
          u int CONSTRAINT named_u NOT NULL CONSTRAINT fk_u REFERENCES users (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED CHECK (u > 0),
          v int REFERENCES users REFERENCES users (id) ON UPDATE SET NULL,
          m int REFERENCES "Mixed Case",
          o int DEFAULT 5 REFERENCES other.t ON DELETE SET DEFAULT UNIQUE,
          t int,
          self int REFERENCES a (id),
          c text COLLATE "C" REFERENCES users (code) MATCH FULL,
          CONSTRAINT chk CHECK (t > 1),
          FOREIGN KEY (u, t) REFERENCES users (id, tenant) MATCH FULL,
          CONSTRAINT two FOREIGN KEY (v, t) REFERENCES users (id, tenant) ON DELETE SET NULL (t),
          UNIQUE (u, v),
          FOREIGN KEY (t) REFERENCES users,
          a_check int CHECK (a_check > 0),
          "Quo""ted" int REFERENCES users
        );
        ALTER TABLE a ADD COLUMN w int REFERENCES users,
          ADD COLUMN x int NOT NULL DEFAULT 1 CONSTRAINT wx REFERENCES a CHECK (x > 0),
          ADD FOREIGN KEY (w, x) REFERENCES users (id, tenant), ADD COLUMN y int REFERENCES users DEFERRABLE;
        ALTER TABLE a ADD FOREIGN KEY (y) REFERENCES users (id), ADD CONSTRAINT nv FOREIGN KEY (x) REFERENCES users NOT VALID,
          DROP COLUMN IF EXISTS nothing;
        ALTER TABLE ONLY a ADD CONSTRAINT "Weird ""Name" FOREIGN KEY ("Quo""ted") REFERENCES a;
        ALTER TABLE IF EXISTS a ADD FOREIGN KEY (m) REFERENCES users;
        CREATE UNLOGGED TABLE u1 (id int PRIMARY KEY);
        CREATE UNLOGGED TABLE u2 (x int REFERENCES u1, LIKE users INCLUDING DEFAULTS, FOREIGN KEY (id) REFERENCES u1);
        CREATE TYPE pair AS (a int, b text);
        CREATE TABLE typed OF pair (a WITH OPTIONS PRIMARY KEY, FOREIGN KEY (a) REFERENCES users);
        CREATE TABLE alone (id int, FOREIGN KEY (id) REFERENCES users);
        CREATE TABLE IF NOT EXISTS alone (id int REFERENCES users, other int REFERENCES users);
        ALTER TABLE alone ADD COLUMN IF NOT EXISTS id int REFERENCES users, ADD COLUMN IF NOT EXISTS nn int REFERENCES users;
        CREATE TABLE averyveryveryveryveryveryveryverylongtablenameindeed (
          anotherveryveryverylongcolumnname int REFERENCES users, anotherveryveryverylongcolumnname2 int REFERENCES users);
        CREATE TABLE tt (a int REFERENCES users CHECK (a > 1) REFERENCES users, tt_a_fkey int CONSTRAINT tt_a_fkey1 CHECK (tt_a_fkey > 1));
        CREATE TABLE tu (a int REFERENCES users, b int, CONSTRAINT tu_a_fkey CHECK (b > 1));
        CREATE TABLE f (id int PRIMARY KEY, g int); CREATE TABLE g (id int PRIMARY KEY, f int REFERENCES f);
        ALTER TABLE f ADD FOREIGN KEY (g) REFERENCES g;

        """
    /// Partitions on either side, and parents that inherit.
    private static let partitions = """
        CREATE TABLE p (id int, k int REFERENCES users, kk int, PRIMARY KEY (id), FOREIGN KEY (kk) REFERENCES users) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p (FOREIGN KEY (k) REFERENCES users (id) ON DELETE CASCADE) FOR VALUES FROM (0) TO (10);
        CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
        ALTER TABLE p ADD COLUMN q int REFERENCES users, ADD CONSTRAINT self FOREIGN KEY (q) REFERENCES p;
        CREATE TABLE refp (id int REFERENCES p, x int, FOREIGN KEY (x) REFERENCES p (id) ON DELETE CASCADE);
        ALTER TABLE refp ADD CONSTRAINT again FOREIGN KEY (x) REFERENCES p;
        CREATE TABLE inh (extra int REFERENCES users) INHERITS (refp);

        """
    /// The elements of a CREATE SCHEMA see each other first.
    private static let schemas = """
        CREATE TABLE aa (id int PRIMARY KEY);
        CREATE SCHEMA s3 CREATE TABLE aa (id int PRIMARY KEY) CREATE TABLE bb (id int REFERENCES aa, x int, up int,
          FOREIGN KEY (x) REFERENCES public.aa, FOREIGN KEY (up) REFERENCES users);
        CREATE TABLE s3.dd (id int REFERENCES aa);

        """

    /// What pg_dump does not show: the order in which constraints were made, and of what each is a part.
    private static let constraints = """
        SELECT conrelid::regclass, conname, contype, convalidated, coninhcount, conislocal,
               (SELECT p.conname FROM pg_constraint AS p WHERE p.oid = k.conparentid), pg_get_constraintdef(oid)
          FROM pg_constraint AS k WHERE connamespace IN ('public'::regnamespace, 's3'::regnamespace) ORDER BY 1, 2
        """

    @Test(arguments: [
        "orphans=clean", "orphans=clean existing=skip-identical missing-table=skip", "missing-table=skip",
        "orphans=clean missing-table=skip foreign-keys=stepwise",
    ])
    func `leave the schema that PostgreSQL itself makes of the file`(directives: String) throws {
        let text = Self.tables + Self.partitions + Self.schemas
        let plain = try Workbench()
        try plain.query(text)
        let bench = try Workbench()
        try bench.write("001_all.sql", "-- migrated: \(directives)\n" + text)
        let outcome = try bench.run("apply")
        try #require(outcome.status == 0, "\(outcome)")
        #expect(try ReplayTests.dump(bench) == ReplayTests.dump(plain))
        #expect(try bench.query(Self.constraints) == plain.query(Self.constraints))
        #expect(try bench.events("event = 'deferred' OR event = 'skipped' AND detail NOT LIKE '%\"notice\"%'") == [])
        #expect(try bench.faults() == "")
    }
}
