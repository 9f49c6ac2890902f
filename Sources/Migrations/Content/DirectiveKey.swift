/// The keys of `-- migrated: key=value` lines. A new one is a line here and a line in `Directives.set`.
public enum DirectiveKey: String, CaseIterable, Sendable {
    /// `on-failure=stop|continue`: whether later files wait for this one to be mended.
    case onFailure = "on-failure"
    /// `statement-timeout=SPAN`: instead of the configured one.
    case statementTimeout = "statement-timeout"
    /// `lock-timeout=SPAN`: instead of the configured one.
    case lockTimeout = "lock-timeout"
    /// `deadline=SPAN`: for the whole file, instead of the configured one.
    case deadline
    /// `transaction=none`: every statement runs alone.
    case transaction
    /// `requires=VERSION,…`: runs only after these.
    case requires
    /// `repeatable`: runs again whenever its text changes, after all versioned files.
    case repeatable

    /// Whether the key is a bare word without a value.
    var isBare: Bool { self == .repeatable }
}
