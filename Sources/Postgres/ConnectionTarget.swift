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
        passfile = unsafe ConnectionTarget.value("passfile", options) ?? ConnectionTarget.environment("PGPASSFILE")
        secretFiles = unsafe ConnectionTarget.secretFiles(options)
        // As libpq falls back, but for the service file, which it reads itself when it connects.
        database =
            unsafe ConnectionTarget.value("dbname", options) ?? ConnectionTarget.environment("PGDATABASE")
            ?? ConnectionTarget.value("user", options) ?? ConnectionTarget.environment("PGUSER")
    }

    /// The name of the database, as far as words and environment tell it.
    public let database: String?

    /// The file that is to hold the password, where one is named.
    private let passfile: String?

    /// The files from which libpq may take what it proves itself with: password file and key of a client's certificate, also where they
    /// lie if none is named (PostgreSQL manual, 34.16 and 34.19). They need not exist.
    public let secretFiles: [String]

    private static func secretFiles(_ options: UnsafeMutablePointer<PQconninfoOption>?) -> [String] {
        let home = environment("HOME").map { [$0 + "/.pgpass", $0 + "/.postgresql/postgresql.key"] } ?? []
        return unsafe [
            value("passfile", options), value("sslkey", options), environment("PGPASSFILE"), environment("PGSSLKEY"),
        ].compactMap(\.self) + home
    }

    private static func value(_ name: String, _ options: UnsafeMutablePointer<PQconninfoOption>?) -> String? {
        var option = unsafe options
        while let entry = unsafe option, let keyword = unsafe entry.pointee.keyword {
            if unsafe String(cString: keyword) == name, let value = unsafe entry.pointee.val {
                return unsafe String(cString: value)
            }
            unsafe option = entry + 1
        }
        return nil
    }

    private static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// What to look at where the server asked for a password and there was none: libpq passes over a file that it cannot use without a word
    /// (PostgreSQL manual 34.16 "The Password File").
    var passwordHint: String {
        guard let passfile else {
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
    let needsNameResolution: Bool

    private static func namesHosts(_ options: UnsafeMutablePointer<PQconninfoOption>?) -> Bool {
        if let address = unsafe value("hostaddr", options), !address.isEmpty { return false }
        let hosts = unsafe value("host", options) ?? environment("PGHOST") ?? ""
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
