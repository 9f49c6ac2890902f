internal import Glibc

/// The files of a journal, as systemd-journald and systemd-journal-remote name them, and which of them can be read here.
///
/// libsystemd passes over a file that it may not read or that is damaged, and a namespace that nobody has asked for, without a word: what it
/// then does not find would look like something that never was. So the files are looked for here, and it is given their names.
public struct JournalFiles: Sendable {
    /// Where a journal is looked for.
    public struct Place: Sendable {
        /// A directory with journal files, such as a copy of another machine's or a collector's; nil for this machine's own journal.
        public var directory: String?
        /// The namespace (systemd.exec(5), LogNamespace=): nil for the default one, `*` for all.
        public var namespace: String?

        /// A place from its parts.
        public init(directory: String? = nil, namespace: String? = nil) {
            self.directory = directory
            self.namespace = namespace
        }
    }

    /// One file that can be read.
    struct File: Hashable, Sendable {
        var path: String
        /// The host that sent its entries, as systemd-journal-remote(8) puts it into the name: with TLS that of the certificate.
        var sender: String?
    }

    /// What is looked for and at in the two directories of journald's own (systemd-journald.service(8), "FILES").
    private static let own = ["/var/log/journal", "/run/log/journal"]
    private static let machineFile = "/etc/machine-id"

    private(set) var files: [File] = []
    /// How many of the files have seals (journald.conf(5), Seal=).
    public private(set) var sealed = 0
    /// What could not be read, and why.
    public private(set) var failures: [SystemFailure] = []
    /// Namespaces that have files here and were not asked for; the default one is the empty name.
    public private(set) var otherNamespaces: Set<String> = []

    /// How many files can be read.
    public var count: Int { files.count }

    /// Whether more than one host has sent them.
    public var areOfSeveralSenders: Bool { Set(files.map(\.sender)).count > 1 }

    /// Whether these are the files that `other` has.
    public func isSame(as other: JournalFiles) -> Bool { files == other.files }

    /// Looks at `place`. What cannot be read is among the `failures`.
    public init(_ place: Place) {
        if let directory = place.directory {
            add(directory, place, isPart: { _ in true }, mayBeMissing: false)
        } else {
            let machine: [UInt8]
            do throws(SystemFailure) {
                machine = try WholeFile.read(JournalFiles.machineFile, limit: 64)
            } catch {
                failures.append(error)
                return
            }
            let name = String(decoding: machine.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
            for root in JournalFiles.own { add(root, place, isPart: { $0 == name }, mayBeMissing: true) }
        }
        files.sort { $0.path < $1.path }
    }

    /// Adds the files of a directory, where it is a collection, and of those below it that are named for a machine and, behind a dot, a
    /// namespace.
    private mutating func add(_ root: String, _ place: Place, isPart: (Substring) -> Bool, mayBeMissing: Bool) {
        for name in names(root, mayBeMissing: mayBeMissing) {
            let path = "\(root)/\(name)"
            let parts = name.split(separator: ".", maxSplits: 1)
            if let machine = parts.first, machine.utf8.count == 32, machine.allSatisfy(\.isHexDigit) {
                guard isPart(machine) else { continue }
                let namespace = parts.count == 2 ? String(parts[1]) : ""
                guard place.namespace == "*" || namespace == place.namespace ?? "" else {
                    otherNamespaces.insert(namespace)
                    continue
                }
                for file in names(path, mayBeMissing: false) { add(file: "\(path)/\(file)", named: file) }
            } else if place.directory != nil {
                add(file: path, named: name)
            }
        }
    }

    private mutating func names(_ path: String, mayBeMissing: Bool) -> [String] {
        do throws(SystemFailure) {
            let directory = try Descriptor(opening: path, O_RDONLY | O_DIRECTORY)
            return try DirectoryNames.list(directory, path: path).map { String(decoding: $0, as: UTF8.self) }.sorted()
        } catch {
            if !(mayBeMissing && error.errno == ENOENT) { failures.append(error) }
            return []
        }
    }

    /// The bytes that each journal file begins with; then come two words of flags (systemd.io/JOURNAL_FILE_FORMAT, "Header").
    private static let signature = Array("LPKSHHRH".utf8)
    /// HEADER_COMPATIBLE_SEALED.
    private static let sealedFlag: UInt8 = 1

    private mutating func add(file path: String, named name: String) {
        guard name.hasSuffix(".journal") || name.hasSuffix(".journal~") else { return }
        do throws(SystemFailure) {
            let file = try Descriptor(opening: path, O_RDONLY | O_NOCTTY | O_NONBLOCK)
            var header = [UInt8](repeating: 0, count: 12)
            if retrying({ unsafe pread(file.number, &header, header.count, 0) }) < 0 { throw .last("read", path: path) }
            guard header.starts(with: JournalFiles.signature) else {
                throw SystemFailure("read", path: path, errno: EBADMSG)
            }
            try JournalReader.probe(path)
            files.append(File(path: path, sender: JournalFiles.sender(name)))
            if header[8] & JournalFiles.sealedFlag != 0 { sealed += 1 }
        } catch {
            failures.append(error)
        }
    }

    /// `db1` of `remote-db1.journal` and `remote-db1@….journal`.
    static func sender(_ name: String) -> String? {
        let prefix = "remote-"
        guard name.hasPrefix(prefix), let end = name.lastIndex(of: ".") else { return nil }
        return String(name[..<end].dropFirst(prefix.count).prefix { $0 != "@" })
    }
}
