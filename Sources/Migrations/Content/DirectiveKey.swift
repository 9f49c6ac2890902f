/// The keys of `-- migrated: key=value` lines. A new one is a line here and a line in `Directives.set`.
public enum DirectiveKey: String, CaseIterable, Sendable {
    /// `on-failure=stop|continue`: whether later files wait for this one to be mended.
    case onFailure = "on-failure"
    /// `statement-timeout=SPAN`: instead of the configured one.
    case statementTimeout = "statement-timeout"
    /// `concurrent-timeout=SPAN`: for each CONCURRENTLY statement, instead of the configured one.
    case concurrentTimeout = "concurrent-timeout"
    /// `lock-timeout=SPAN`: instead of the configured one.
    case lockTimeout = "lock-timeout"
    /// `deadline=SPAN`: for the whole file, instead of the configured one.
    case deadline
    /// `transaction=none`: every statement commits by itself.
    case transaction
    /// `requires=VERSION,…`: runs only after these.
    case requires
    /// `repeatable`: runs again whenever its text changes, after all versioned files.
    case repeatable
    /// `direction=up`: the whole file applies the migration, also what looks as if it undid it.
    case direction
    /// `existing=fail|skip-identical|skip`: what becomes of a statement that creates something that exists.
    case existing

    /// `orphans=fail|clean|report`: what becomes of rows without their referenced row when the file adds a foreign key.
    case orphans
    /// `orphan-limit=N|N%`: the most rows that a cleanup may touch.
    case orphanLimit = "orphan-limit"
    /// `prove-restore=always|never`: whether the way back is proved before a cleanup is committed.
    case proveRestore = "prove-restore"
    /// `missing-table=fail|skip`: what becomes of a foreign key whose table is not there yet.
    case missingTable = "missing-table"
    /// `index-foreign-keys=yes|no`: whether an index is created where none covers the key.
    case indexForeignKeys = "index-foreign-keys"
    /// `foreign-keys=one-transaction|stepwise`: whether a key is added with the file or step by step.
    case foreignKeys = "foreign-keys"

    /// Whether the key is a bare word without a value.
    var isBare: Bool { self == .repeatable }
}
