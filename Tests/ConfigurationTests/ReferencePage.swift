@testable import Configuration

/// The reference page and the example file, as the table of keys gives them.
enum ReferencePage {
    /// What `docs/configuration.md` must say.
    static var page: String {
        var page = """
            # Configuration

            `migrated` and `auditctl` read `/etc/migrated/migrated.toml`, `migrated@NAME` reads `/etc/migrated/NAME.toml`, and `--config FILE`
            reads another file. It is [TOML](https://toml.io/en/v1.0.0) in UTF-8, at most 1 MiB. Every key is optional. An unknown key, a key
            given twice, a value of the wrong type and a value out of bounds are errors that name file, line and column (exit code 78); nothing
            is ignored.

            * A time span is a number with a unit (`us`, `ms`, `s`, `min`, `h`, `d`, `w`) in quotes, several of them added up: `"1h 30min"`.
              A bare number is seconds.
            * A size is a number of bytes, or one with the suffix `K`, `M` or `G` in quotes.
            * The common keys are flags too, by the same name: `--settle 0`, `--lock-timeout 5s`. A flag wins over the file. A relative path
              given as a flag is taken from the working directory, one in the file from the file's folder.
            * `deploy/migrated.toml` is an example that lists every key with its default.

            **Secrets.** The file is no place for a password. With peer authentication there is none; otherwise name a
            [password file](https://www.postgresql.org/docs/current/libpq-pgpass.html) in the connection string (`passfile=`), best one that systemd
            hands over (`LoadCredential=pgpass:/etc/migrated/pgpass` in a drop-in, then
            `passfile=/run/credentials/migrated.service/pgpass`). The connection string is never printed or logged.


            """
        for section in SettingKey.Section.allCases {
            page += "## \(section.rawValue)\n\n"
            for key in SettingKey.all where key.section == section {
                page += "### `\(key.name)`\n\n"
                page += wrapped(key.about, width: 110) + "\n"
                page += wrapped("* Accepts: \(key.accepted).", width: 110, indent: "  ")
                page += wrapped("* Default: \(shownDefault(key, quote: "`")).", width: 110, indent: "  ")
                if !key.aliases.isEmpty {
                    page += "* Also written: " + key.aliases.map { "`\($0)`" }.joined(separator: ", ") + ".\n"
                }
                if SettingsOverrides().given.contains(where: { $0.key == key.name }) {
                    page += "* Flag: `--\(key.flag)`.\n"
                }
                page += "\n"
            }
        }
        while page.hasSuffix("\n\n") { page.removeLast() }
        return page
    }

    /// What `deploy/migrated.toml` must say.
    static var example: String {
        var example = """
            # Configuration of migrated and auditctl. docs/configuration.md explains more.
            #
            # Every key stands here with its default, commented out. An unknown key or a bad value is an error: `migrated check` finds it
            # without a database. Write no password into this file.


            """
        for section in SettingKey.Section.allCases {
            example += "## \(section.rawValue)\n\n"
            for key in SettingKey.all where key.section == section {
                example += wrapped("# " + key.about, width: 110, indent: "# ")
                example += wrapped("# Accepts: \(key.accepted).", width: 110, indent: "# ")
                if key.defaultNote != nil {
                    example += wrapped("# Default: \(shownDefault(key, quote: "")).", width: 110, indent: "# ")
                }
                example += assignment(key) + "\n\n"
            }
        }
        example.removeLast()
        return example
    }

    /// The commented line that sets the key to its default, or to a sample where its default is no value.
    static func assignment(_ key: SettingKey) -> String {
        "#\(key.name) = \(key.written(Settings()) ?? key.sample.map(tomlString) ?? "\"\"")"
    }

    /// The default in words or as TOML.
    static func shownDefault(_ key: SettingKey, quote: String) -> String {
        key.defaultNote ?? key.written(Settings()).map { quote + $0 + quote } ?? "none"
    }

    private static func wrapped(_ text: String, width: Int, indent: String = "") -> String {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = indent + word
            } else {
                line += (line.isEmpty ? "" : " ") + word
            }
        }
        return (lines + [line]).joined(separator: "\n") + "\n"
    }
}
