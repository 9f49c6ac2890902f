/// One key of the configuration: its name, what it accepts, what it means, and where its value goes.
///
/// A new key is one more entry in `all` and one more property of `Settings`; reading, hints, flags, the reference page and the
/// example file follow from it.
struct SettingKey: Sendable {
    /// The key as the file writes it; a dot stands between a table and its key.
    var name: String
    /// Other ways to write it.
    var aliases: [String] = []
    /// The heading it is documented under.
    var section: Section
    /// What it means, in plain sentences: the text of the reference page and of the example file.
    var about: String
    /// What it accepts, to follow "Write …".
    var accepted: String
    /// What holds when nothing is set, for a key whose default is no value.
    var defaultNote: String?
    /// A value for the example file, for a key whose default is no value.
    var sample: String?
    /// Whether its value may hold a password: then no message quotes it, or the line it stands on.
    var isSecret: Bool
    /// Whether a relative value in the file is taken from the file's folder.
    var isPath: Bool
    /// Whether the key can take a value of that type.
    var takes: @Sendable (WrittenValue) -> Bool
    /// Puts the value in its place; false where it is not acceptable.
    var store: @Sendable (WrittenValue, inout Settings) -> Bool
    /// The value in `Settings` as TOML; nil where there is none.
    var written: @Sendable (Settings) -> String?

    init<Value: Sendable>(
        _ name: String, _ path: any WritableKeyPath<Settings, Value> & Sendable, _ form: ValueForm<Value>,
        in section: Section, aliases: [String] = [], secret: Bool = false, isPath: Bool = false,
        defaultNote: String? = nil, sample: String? = nil, _ about: String
    ) {
        self.name = name
        self.aliases = aliases
        self.section = section
        self.about = about
        self.accepted = form.accepted
        self.defaultNote = defaultNote
        self.sample = sample
        self.isSecret = secret
        self.isPath = isPath
        self.takes = form.takes
        self.store = { value, settings in
            guard let read = form.read(value) else { return false }
            settings[keyPath: path] = read
            return true
        }
        self.written = { form.written($0[keyPath: path]) }
    }

    /// The parts under which the keys are documented.
    enum Section: String, CaseIterable, Sendable {
        case connection = "Database and history"
        case files = "Migration files"
        case order = "Order and changed files"
        case foreignKeys = "Foreign keys and orphans"
        case limits = "Timeouts"
        case retries = "Retries"
        case evidence = "Evidence"
        case monitoring = "Monitoring"
    }

    /// The flag that says the same, without its dashes.
    var flag: String { name.split(separator: ".").joined(separator: "-") }

    /// Every name, aliases too, as the path of tables it stands in.
    var paths: [[String]] {
        ([name] + aliases).map { $0.split(separator: ".").map(String.init) }
    }

    /// The key that the file writes under this path.
    static func at(_ path: [String]) -> SettingKey? { all.first { $0.paths.contains(path) } }

    /// The key of this name.
    static func named(_ name: String) -> SettingKey? { all.first { $0.name == name } }

    /// Whether some key stands in the table with this path.
    static func hasTable(_ path: [String]) -> Bool {
        all.contains { $0.paths.contains { $0.count > path.count && $0.starts(with: path) } }
    }
}
