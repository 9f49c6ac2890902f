internal import CPQ

/// Where to connect: libpq's own connection string, checked, with our settings around it.
///
/// Everything libpq accepts is accepted: URI, keywords, service file, PG* variables, several hosts with `target_session_attrs`
/// (PostgreSQL manual, 34.1). Its text may hold a password and is never printed.
public struct ConnectionTarget: Sendable, Equatable {
    let conninfo: String
    /// What the session calls itself in pg_stat_activity.
    public var applicationName: String

    /// Checks `conninfo`; an empty one means libpq's defaults.
    public init(_ conninfo: String, applicationName: String) throws(PostgresError) {
        var message: UnsafeMutablePointer<CChar>? = nil
        let options = unsafe PQconninfoParse(conninfo, &message)
        defer { unsafe PQconninfoFree(options) }
        if unsafe options == nil {
            let words = unsafe message.map { unsafe String(cString: $0) } ?? "out of memory"
            unsafe PQfreemem(message)
            throw .invalidTarget(words.trimmingLineEnd)
        }
        self.conninfo = conninfo
        self.applicationName = applicationName
    }

    /// Keywords for PQconnectStartParams: what stands before `dbname` is a default, what stands behind it holds in any case.
    var keywords: [(String, String)] {
        [
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "30000"), ("dbname", conninfo), ("application_name", applicationName),
            ("client_encoding", "UTF8"),
        ]
    }
}

extension String {
    /// Without the line ends that libpq puts behind its messages.
    var trimmingLineEnd: String {
        var text = self[...]
        while text.last?.isNewline == true { text.removeLast() }
        return String(text)
    }
}
