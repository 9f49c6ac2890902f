internal import CPQ

/// A connection string as libpq fills it in: from service file, environment and defaults.
///
/// libpq tells that of a connection alone. So one is made that it never opens: a value that it refuses is found before any host is looked up
/// (PQconnectStartParams, PQconninfo; PostgreSQL manual 34.1). No value of a password is kept.
struct ResolvedConnection: Sendable, Equatable {
    private var values: [String: String] = [:]

    init(_ conninfo: String) {
        // With a password given no password file is looked for, of which libpq prints to stderr what it thinks.
        let names = CStrings(["dbname", "password", "channel_binding"])
        let words = CStrings([conninfo, "none", "not to be opened"])
        guard let handle = unsafe PQconnectStartParams(names.pointer, words.pointer, 1) else {
            preconditionFailure("PQconnectStartParams gives no handle only without memory")
        }
        defer { unsafe PQfinish(handle) }
        let options = unsafe PQconninfo(handle)
        defer { unsafe PQconninfoFree(options) }
        unsafe ConnectionOptions.forEach(options) { option in
            if !option.isSecret { values[option.name] = option.value }
        }
    }

    subscript(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// The hosts that are reached by TCP, in libpq's order; an address where one is given. A socket has a directory, or an abstract name behind
    /// `@`, or nothing at all.
    var networkHosts: [String] {
        func list(_ name: String) -> [String] {
            self[name].map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
        }
        let (hosts, addresses) = (list("host"), list("hostaddr"))
        return (0..<max(hosts.count, addresses.count)).compactMap { index in
            if addresses.indices.contains(index), !addresses[index].isEmpty { return addresses[index] }
            let host = hosts.indices.contains(index) ? hosts[index] : ""
            return host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") ? nil : host
        }
    }

    /// In what the way to the server is less safe than the default, as a clause; nil where it is not.
    var weakness: String? {
        // Kerberos proves both sides to each other.
        guard let host = networkHosts.first, self["gssencmode"] != "require" else { return nil }
        let what: String
        switch self["sslmode"] {
        case "verify-full": return nil
        case "verify-ca":
            what = "any server with a certificate of that authority can stand in for it"
        case "require" where self["sslrootcert"] != nil:
            what = "any server with a certificate of that authority can stand in for it"
        case "require": what = "whatever listens there is taken for it, and gets the login's password if it asks"
        default: what = "a listener that offers no encryption is taken for it, and reads everything"
        }
        return "sslmode=\(self["sslmode"] ?? "prefer") to '\(host)' does not prove that it is the database: \(what)"
    }
}

/// libpq's list of options, one after the other.
enum ConnectionOptions {
    struct Option {
        var name: String
        var value: String
        /// Whether libpq says that its value is not to be shown.
        var isSecret: Bool
    }

    /// Calls `body` for each option that has a value.
    static func forEach(_ options: UnsafeMutablePointer<PQconninfoOption>?, _ body: (Option) -> Void) {
        var option = unsafe options
        while let entry = unsafe option, let keyword = unsafe entry.pointee.keyword {
            if let value = unsafe entry.pointee.val {
                let isSecret = unsafe entry.pointee.dispchar.map { unsafe String(cString: $0) } == "*"
                unsafe body(
                    Option(name: String(cString: keyword), value: String(cString: value), isSecret: isSecret))
            }
            unsafe option = entry + 1
        }
    }
}
