internal import CPQ
internal import Glibc

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
        needsNameResolution = unsafe ConnectionTarget.namesHosts(options)
    }

    /// Whether a host is given by a name that has to be looked up.
    let needsNameResolution: Bool

    private static func namesHosts(_ options: UnsafeMutablePointer<PQconninfoOption>?) -> Bool {
        var hosts = unsafe getenv("PGHOST").map { unsafe String(cString: $0) } ?? ""
        var option = unsafe options
        while let entry = unsafe option, let keyword = unsafe entry.pointee.keyword {
            let name = unsafe String(cString: keyword)
            if let value = unsafe entry.pointee.val {
                let text = unsafe String(cString: value)
                if name == "hostaddr", !text.isEmpty { return false }
                if name == "host" { hosts = text }
            }
            unsafe option = entry + 1
        }
        return hosts.split(separator: ",").contains { host in
            // A socket's directory, or an address in digits, needs nobody's answer.
            !host.hasPrefix("/") && !host.hasPrefix("@") && !host.contains(":")
                && !host.allSatisfy { $0.isNumber || $0 == "." }
        }
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
