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
        var secret: String?
        var service = ConnectionTarget.environment("PGSERVICE")
        unsafe ConnectionOptions.forEach(options) { option in
            if option.isSecret, !option.value.isEmpty { secret = secret ?? option.name }
            if option.name == "service" { service = option.value }
        }
        usesService = service?.isEmpty == false
        secretName = secret
        ConnectionDefaults.apply
        resolved = ResolvedConnection(conninfo)
    }

    /// The same way with the same login into another database, whose sessions begin with these options as libpq writes them.
    public func inside(_ database: String, options: String) -> ConnectionTarget {
        var target = self
        target.otherDatabase = database
        target.otherOptions = [resolved["options"], options].compactMap(\.self).joined(separator: " ")
        return target
    }

    private var otherDatabase: String?
    private var otherOptions: String?
    private let resolved: ResolvedConnection
    private let usesService: Bool

    /// The keyword of a password that stands in the connection string itself; nil where none does.
    public let secretName: String?

    /// The name of the database, as far as words, service file and environment tell it.
    public var database: String? { otherDatabase ?? resolved["dbname"] ?? resolved["user"] }

    /// In what the way to the server is less safe than the default, one sentence without a stop; nil where it is not. The default is a socket,
    /// or a certificate that proves the server (`sslmode=verify-full`).
    public var weakness: String? { resolved.weakness }

    /// The files that decide which server it is, and as which login one comes: the service file of this user, passwords, certificates and keys, as far as
    /// they are named.
    public var files: [String] {
        let service =
            ConnectionTarget.environment("PGSERVICEFILE")
            ?? ConnectionTarget.environment("HOME").map { $0 + "/.pg_service.conf" }
        return (usesService ? [service].compactMap(\.self) : [])
            + ["passfile", "sslrootcert", "sslcert", "sslkey", "sslcrl"].compactMap { resolved[$0] }.filter {
                $0.hasPrefix("/")
            }
    }

    /// The files from which libpq may take what it proves itself with: password file and key of a client's certificate, also where they
    /// lie if none is named (PostgreSQL manual, 34.16 and 34.19). They need not exist.
    public var secretFiles: [String] {
        let home =
            ConnectionTarget.environment("HOME").map { [$0 + "/.pgpass", $0 + "/.postgresql/postgresql.key"] } ?? []
        return ["passfile", "sslkey"].compactMap { resolved[$0] } + home
    }

    /// Whether a password stands in the environment, where the unit's settings and every child of this process have it.
    public static var hasPasswordInEnvironment: Bool { environment("PGPASSWORD")?.isEmpty == false }

    private static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// What to look at where the server asked for a password and there was none: libpq passes over a file that it cannot use without a word
    /// (PostgreSQL manual 34.16 "The Password File").
    var passwordHint: String {
        guard let passfile = resolved["passfile"] else {
            return
                "Name a file with the password: 'passfile=' in the connection string, a systemd credential, or PGPASSFILE."
        }
        var facts = stat()
        let trouble: String
        if unsafe stat(passfile, &facts) != 0 || access(passfile, R_OK) != 0 {
            trouble = unsafe "cannot be read: \(String(cString: strerror(errno)))"
        } else if facts.st_size == 0 {
            trouble = "is empty"
        } else if facts.st_mode & 0o077 != 0 {
            trouble = "may be read by others, so that libpq does not use it"
        } else {
            trouble = "has no line for this server, database and role"
        }
        return "The password file '\(passfile)' \(trouble)."
    }

    /// Whether a host is given by a name that has to be looked up.
    var needsNameResolution: Bool {
        resolved["hostaddr"] == nil
            && resolved.networkHosts.contains { host in
                // An address in digits needs nobody's answer.
                !host.contains(":") && !host.allSatisfy { $0.isNumber || $0 == "." }
            }
    }

    /// Keywords for PQconnectStartParams: what stands before `dbname` is a default, what stands behind it holds in any case.
    var keywords: [(String, String)] {
        [
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "30000"), ("dbname", conninfo), ("application_name", applicationName),
            ("client_encoding", "UTF8"),
        ] + (otherDatabase.map { [("dbname", $0)] } ?? []) + (otherOptions.map { [("options", $0)] } ?? [])
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
