public import ForeignKeys
public import Migrations
public import Reporting

/// Everything that the configuration file and the common flags decide.
///
/// `Settings()` is what an empty file gives. Each property is one entry of `SettingKey.all`, where its key, its accepted values and its
/// description stand; the reference page and the example file are written from the same entries.
public struct Settings: Sendable, Equatable {
    /// `database`: the connection string for libpq, or "" for libpq's own defaults and PG* variables. It may hold a password: it is
    /// never part of a message, and `description` and reflection leave it out.
    public var database = ""
    /// `audit.database`: the connection string of the login that keeps the history; nil where the login that runs the files does. Treated
    /// like `database`.
    public var auditDatabase: String?
    /// `directory`: where the migrations are. A relative path in the file is taken from the file's own folder, and is already joined here.
    public var directory: String?
    /// `schema`: the schema of the history.
    public var schema = "migrated"
    /// `state-directory`: the folder of the anchor file; nil leaves the choice to the environment. Joined like `directory`.
    public var stateDirectory: String?
    /// `layout`: how the directory is laid out; nil finds out by looking.
    public var layout: LayoutName?
    /// `order`: which of two orders, where the layout's tool has had two; nil is the current one, with a warning where they differ.
    public var order: OrderPin?
    /// `version-by`: what a file of a numbered layout is known by.
    public var versionBy: VersionBy = .number
    /// `late`: what becomes of a pending file that sorts before an applied one; nil does as the layout's own tool.
    public var late: Late?
    /// `on-drift`: what becomes of later files when an applied one was edited, renamed or deleted.
    public var onDrift = OnDrift.report
    /// `catalog-drift`: whether objects that were changed by others than migrations are reported.
    public var catalogDrift = CatalogDrift.report
    /// `catalog-ignore`: patterns of the names of objects that are left out of that; `*` stands for anything.
    public var catalogIgnore: [String] = []
    /// `row-values`: whether values of rows in the server's errors stand in the events themselves.
    public var rowValues = RowValuesPolicy.mask
    /// `existing`: what becomes of a statement that creates something that exists.
    public var existing = Existing.fail
    /// `orphans`, `orphan-limit`, `missing-table`, `index-foreign-keys`, `foreign-keys`: how foreign keys over dirty data are treated.
    public var foreignKeys = ForeignKeyPolicy()
    /// `preflight`: what an attempt records beforehand of what its file meets.
    public var preflight = PreflightReport.catalog
    /// `settle`: how long the directory must be quiet before a run starts; 0 acts at once.
    public var settle = TimeSpan.milliseconds(500)
    /// `rescan`: how often the directory is read without a hint from the kernel.
    public var rescan = TimeSpan.seconds(60)
    /// `check-permissions`: refuse a directory or a file that others may write.
    public var checkPermissions = true
    /// `size-limit`: the largest migration file that is read, in bytes.
    public var sizeLimit = 64 << 20
    /// `statement-timeout`: PostgreSQL's statement_timeout during a migration; 0 is none.
    public var statementTimeout = TimeSpan.seconds(300)
    /// `lock-timeout`: PostgreSQL's lock_timeout during a migration; 0 is none.
    public var lockTimeout = TimeSpan.seconds(2)
    /// `idle-in-transaction-timeout`: PostgreSQL's idle_in_transaction_session_timeout during a migration; 0 is none.
    public var idleTimeout = TimeSpan.seconds(60)
    /// `concurrent-timeout`: the longest that one CONCURRENTLY statement may take, instead of `statementTimeout`; 0 is none.
    public var concurrentTimeout = TimeSpan.seconds(0)
    /// `deadline`: the longest that one file may take in all, kept by the daemon itself; 0 is none.
    public var deadline = TimeSpan.seconds(3600)
    /// `retry-tries`: how often a file is tried in all when what stopped it may pass by itself; 1 never tries again.
    public var retryTries = 5
    /// `retry-wait`: the pause before the second try; it doubles from try to try.
    public var retryWait = TimeSpan.seconds(1)
    /// `retry-wait-max`: the longest pause between two tries.
    public var retryMaximum = TimeSpan.seconds(60)
    /// `retry-for`: no further try starts later than this after the first one did; 0 is no limit.
    public var retryFor = TimeSpan.seconds(900)
    /// `signing-key`: the file of the private key that signs anchors; nil takes the systemd credential, where there is one.
    public var signingKey: String?
    /// `public-key`: the file of the public key that signatures of anchors are checked with.
    public var publicKey: String?
    /// `require-signature`: run only files that an allowed signer has signed.
    public var requireSignature = SignaturePolicy.none
    /// `allowed-signers`: who they are, as ssh-keygen(1) reads it.
    public var allowedSigners: String?
    /// `metrics-file`: the file for node_exporter's textfile collector; nil writes none.
    public var metricsFile: String?
    /// `hooks`: the directory of the programs that the daemon runs after an event; nil is the package's.
    public var hooks: String?
    /// `hook-timeout`: how long one of them may take.
    public var hookTimeout = TimeSpan.seconds(30)

    /// The defaults.
    public init() {}

    /// The settings that the text of a configuration file gives.
    ///
    /// - Parameters:
    ///   - bytes: the file's bytes, at most `SettingsReader.sizeLimit` of them.
    ///   - file: its name for messages; its folder is what relative paths are taken from.
    /// - Throws: the first of `complaints(toml:file:)`.
    public init(toml bytes: [UInt8], file: String) throws(Complaint) {
        var reader = SettingsReader(bytes: bytes, file: file)
        let settings = reader.settings()
        if let first = reader.complaints.first { throw first }
        self = settings
    }

    /// All that is wrong with a configuration file, in the order of its lines; empty where `init(toml:file:)` succeeds. Text that is
    /// not TOML gives one complaint, because nothing after its first error can be trusted; no file gives many more than
    /// `SettingsReader.complaintLimit`.
    public static func complaints(toml bytes: [UInt8], file: String) -> [Complaint] {
        var reader = SettingsReader(bytes: bytes, file: file)
        _ = reader.settings()
        return reader.complaints
    }
}

extension Settings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Every key with its value as the file would write it, without the secret ones.
    public var description: String {
        "Settings("
            + SettingKey.all.map { key in "\(key.name): " + (key.isSecret ? "hidden" : key.written(self) ?? "none") }
            .joined(separator: ", ") + ")"
    }
    /// As `description`.
    public var debugDescription: String { description }
    /// Reflection shows what `description` shows, so that no dump prints a password.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: SettingKey.all.map { key in
                (label: key.name as String?, value: (key.isSecret ? "hidden" : key.written(self) ?? "none") as Any)
            }, displayStyle: .struct)
    }
}
