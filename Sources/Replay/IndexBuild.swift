/// The builds of indexes that are under way.
public enum IndexBuild {
    /// Whether another session builds the index, as SQL for any search_path; both are expressions of type oid. Of a session of another role the
    /// server shows no more than that it builds something (PostgreSQL manual 28.4.4): then the lock on the table tells.
    public static func isRunning(_ index: String, on table: String) -> String {
        """
        EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p
                 WHERE p.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
                   AND coalesce(p.index_relid OPERATOR(pg_catalog.=) \(index), EXISTS (
                       SELECT FROM pg_catalog.pg_locks AS l
                        WHERE l.pid OPERATOR(pg_catalog.=) p.pid AND l.relation OPERATOR(pg_catalog.=) \(table)
                          AND l.mode OPERATOR(pg_catalog.=) 'ShareUpdateExclusiveLock' AND l.granted)))
        """
    }
}
