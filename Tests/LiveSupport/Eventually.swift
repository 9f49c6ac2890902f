import Glibc

/// Waits until `check` returns something, looking again every few milliseconds, and returns that.
///
/// The limit is generous by default because it only bounds a failing test: a passing one goes on at the first look that
/// succeeds. Throws `LiveFailure` naming `what` when the limit has passed, and whatever `check` throws at once.
@discardableResult
public func eventually<Result>(
    _ what: String, within limit: Duration = .seconds(30), _ check: () throws -> Result?
) throws -> Result {
    let end = ContinuousClock.now + limit
    while true {
        if let result = try check() { return result }
        if ContinuousClock.now > end { throw LiveFailure("no \(what) within \(limit)") }
        usleep(3_000)
    }
}

/// Waits until `check` is true, looking again every few milliseconds.
public func eventually(
    _ what: String, within limit: Duration = .seconds(30), _ check: () throws -> Bool
) throws {
    try eventually(what, within: limit) { () -> Void? in try check() ? () : nil }
}
