/// Names under which secrets are kept: of options, settings, columns and variables.
enum SecretName {
    /// Whether something of that name may have to do with a secret: what stands beside it is not shown.
    static func mentions(_ name: [UInt8]) -> Bool {
        let name = lowered(name)
        return endsAs(name, short) || isMentioned(inLowered: name)
    }

    /// Whether a value of that name is a secret itself; `password_encryption` and `token_count` name none.
    static func isSecret(_ name: [UInt8]) -> Bool {
        let name = lowered(name)
        return endsAs(name, short)
            || long.contains { name.count >= $0.count && name.suffix($0.count).elementsEqual($0) }
            || endings.contains { name.count >= $0.count && name.suffix($0.count).elementsEqual($0) }
    }

    /// Whether a text speaks of a secret by one of the longer names, in any case.
    static func isMentioned(in text: some Collection<UInt8>) -> Bool { isMentioned(inLowered: lowered(text)) }

    /// Options of a foreign server, table, wrapper or mapping that are known to hold no secret.
    static let harmlessOptions: Set<String> = [
        "application_name", "async_capable", "batch_size", "column_name", "connect_timeout", "dbname", "delimiter",
        "encoding", "extensions",
        "fdw_startup_cost", "fdw_tuple_cost", "fetch_size", "filename", "format", "header", "host", "hostaddr",
        "keep_connections",
        "null", "parallel_commit", "port", "quote", "schema", "schema_name", "service", "sslmode", "table",
        "table_name", "target_session_attrs",
        "truncatable", "updatable", "use_remote_estimate", "user", "username",
    ]

    /// Functions that take a secret, and at which of their arguments, from 0.
    static let functions: [String: Set<Int>] = [
        "crypt": [0], "hmac": [1], "encrypt": [1], "decrypt": [1], "encrypt_iv": [1], "decrypt_iv": [1],
        "pgp_sym_encrypt": [1],
        "pgp_sym_encrypt_bytea": [1], "pgp_sym_decrypt": [1], "pgp_sym_decrypt_bytea": [1], "pgp_pub_decrypt": [1, 2],
        "pgp_pub_decrypt_bytea": [1, 2], "create_secret": [0], "update_secret": [1],
        "create_aws_credentials": [0, 1, 2],
    ]

    private static let long = [
        "password", "passwd", "passphrase", "passcode", "secret", "token", "credential", "apikey", "api_key",
        "access_key", "private_key",
        "conninfo",
        "encryption_key", "signing_key", "master_key", "auth_key", "jwt", "bearer",
    ].map { Array($0.utf8) }
    private static let beginnings = Set(long.map { $0[0] })
    private static let endings = ["credentials", "secret_key"].map { Array($0.utf8) }
    /// Too short to be looked for inside of words.
    private static let short = ["pwd", "pw", "pass"].map { Array($0.utf8) }

    private static func endsAs(_ name: [UInt8], _ words: [[UInt8]]) -> Bool {
        words.contains { word in
            name == word
                || (name.count > word.count && name.suffix(word.count).elementsEqual(word)
                    && [UInt8(ascii: "_"), UInt8(ascii: ".")].contains(name[name.count - word.count - 1]))
        }
    }

    private static func isMentioned(inLowered text: [UInt8]) -> Bool {
        for start in text.indices {
            let first = text[start]
            guard beginnings.contains(first) else { continue }
            for word in long where word[0] == first && start + word.count <= text.count {
                if text[start..<start + word.count].elementsEqual(word) { return true }
            }
        }
        return false
    }

    private static func lowered(_ text: some Collection<UInt8>) -> [UInt8] {
        text.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0 }
    }
}
