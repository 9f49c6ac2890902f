extension Rule {
    private static let people = ("001_people.sql", "CREATE TABLE people (id int, name varchar(40), age int);")

    /// The entries of what keeps others waiting.
    var aboutLocks: Explanation {
        switch self {
        case .tableScan:
            Explanation(
                why: "Every row is read under ACCESS EXCLUSIVE: no query gets at the table until that is done.",
                wayOut:
                    "Add a CHECK NOT VALID and let a later migration validate it, which blocks nobody; SET NOT NULL then does not look.",
                example: [Rule.people, ("002_age.sql", "ALTER TABLE people ALTER COLUMN age SET NOT NULL;")],
                better: [
                    Rule.people,
                    ("002_age.sql", "ALTER TABLE people ADD CONSTRAINT age_there CHECK (age IS NOT NULL) NOT VALID;"),
                    (
                        "003_age.sql",
                        "ALTER TABLE people VALIDATE CONSTRAINT age_there;\nALTER TABLE people ALTER COLUMN age SET NOT NULL;"
                    ),
                ])
        case .blockingIndex:
            Explanation(
                why:
                    "Writers wait until the index is built. Told once for each table of a file, whose transaction holds the lock to its end.",
                wayOut:
                    "CREATE INDEX CONCURRENTLY; it runs outside of the file's transaction and is recorded alone. For a small table, allow it.",
                example: [Rule.people, ("002_name.sql", "CREATE INDEX people_name ON people (name);")],
                better: [Rule.people, ("002_name.sql", "CREATE INDEX CONCURRENTLY people_name ON people (name);")])
        case .foreignKeyScan:
            Explanation(
                why: "Every row is checked while writers of both tables wait.",
                wayOut:
                    "Add it NOT VALID and validate it in a later migration; or set 'orphans' to anything but 'fail', and the daemon adds it so by itself.",
                example: [
                    Rule.people, ("002_boss.sql", "ALTER TABLE people ADD FOREIGN KEY (id) REFERENCES staff (id);"),
                ],
                better: [
                    Rule.people,
                    ("002_boss.sql", "ALTER TABLE people ADD FOREIGN KEY (id) REFERENCES staff (id) NOT VALID;"),
                ])
        case .requiredColumn:
            Explanation(
                why: "It succeeds on the empty table of a test, and fails on the one that has rows.",
                wayOut: "Give it a DEFAULT; or add it nullable, fill it, and SET NOT NULL.",
                example: [Rule.people, ("002_born.sql", "ALTER TABLE people ADD COLUMN born date NOT NULL;")],
                better: [Rule.people, ("002_born.sql", "ALTER TABLE people ADD COLUMN born date;")])
        default:
            Explanation(
                why:
                    "Every row is written anew under ACCESS EXCLUSIVE, which needs as much time and disk as the table is large.",
                wayOut: "Add a column of the new type, fill it in batches, and let the application change over.",
                example: [Rule.people, ("002_age.sql", "ALTER TABLE people ALTER COLUMN age TYPE bigint;")],
                better: [Rule.people, ("002_name.sql", "ALTER TABLE people ALTER COLUMN name TYPE text;")])
        }
    }

    /// The entries of what destroys data.
    var aboutData: Explanation {
        switch self {
        case .dropColumn:
            Explanation(
                why: "Its values are gone, and an application that still names it fails.",
                wayOut:
                    "Deploy the application that no longer uses it first; keep a copy if the values may be wanted; then allow it.",
                example: [Rule.people, ("002_age.sql", "ALTER TABLE people DROP COLUMN age;")],
                better: [
                    Rule.people,
                    (
                        "002_age.sql",
                        "-- migrated: allow=M041 reason=unused since release 7\nALTER TABLE people DROP COLUMN age;"
                    ),
                ])
        case .truncate:
            Explanation(
                why: "Every row is gone; a rollback by a down file brings none of them back.",
                wayOut: "Keep a copy if the rows may be wanted; then allow it.",
                example: [Rule.people, ("002_empty.sql", "TRUNCATE people;")],
                better: [
                    Rule.people,
                    (
                        "002_empty.sql",
                        "-- migrated: allow=M042 reason=rebuilt from the source every night\nTRUNCATE people;"
                    ),
                ])
        case .deleteEverything:
            Explanation(
                why: "A DELETE without WHERE is more often a line that was forgotten than meant.",
                wayOut: "Say which rows.",
                example: [Rule.people, ("002_delete.sql", "DELETE FROM people;")],
                better: [Rule.people, ("002_delete.sql", "DELETE FROM people WHERE age > 150;")])
        case .updateEverything:
            Explanation(
                why: "An UPDATE without WHERE writes every row once more, and keeps each locked to the file's end.",
                wayOut: "Say which rows.",
                example: [Rule.people, ("002_update.sql", "UPDATE people SET age = 0;")],
                better: [Rule.people, ("002_update.sql", "UPDATE people SET age = 0 WHERE age < 0;")])
        default:
            Explanation(
                why: "Its rows are gone, and an application that still names it fails.",
                wayOut:
                    "Deploy the application that no longer uses it first; keep a copy if the rows may be wanted; then allow it.",
                example: [Rule.people, ("002_drop.sql", "DROP TABLE people;")],
                better: [
                    Rule.people,
                    ("002_drop.sql", "-- migrated: allow=M040 reason=moved to staff in release 7\nDROP TABLE people;"),
                ])
        }
    }
}
