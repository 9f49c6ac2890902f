import Glibc
import Reporting
import Testing

@testable import Systemd

@Suite struct `A directory scan` {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func `lists two levels in the order of their bytes`() throws {
        try directory.write("b.sql")
        directory.make("a")
        try directory.write("a/migration.sql", "SELECT 2;\n")
        directory.make("a/deep")
        try directory.write("a/deep/hidden.sql")
        try directory.write("A.sql")
        let scan = try DirectoryScan.scan(directory.path)
        #expect(scan.entries.map(\.path) == ["A.sql", "a", "a/deep", "a/migration.sql", "b.sql"])
        #expect(scan.entries.map(\.kind) == [.file, .directory, .directory, .file, .file])
        let file = try #require(scan.entries.first { $0.path == "a/migration.sql" })
        #expect(file.facts.size == 10)
        #expect(file.facts.mode == 0o644)
        #expect(file.facts.user == geteuid())
        #expect(!file.isSymbolicLink)
        #expect(file.nameIsUTF8)
        #expect(try scan.read(file, limit: 10) == Array("SELECT 2;\n".utf8))
    }

    @Test func `lists all that is in the folders of sqitch's scripts`() throws {
        try directory.write("sqitch.plan")
        for folder in ["deploy", "deploy/a", "deploy/a/b", "verify", "verify/v", "other", "other/a", "other/a/b"] {
            directory.make(folder)
        }
        try directory.write("deploy/a/b/x.sql")
        try directory.write("verify/v/x.sql")
        try directory.write("other/a/x.sql")
        directory.link("deploy/c", to: "../verify")
        directory.link("deploy/a/out", to: "/etc")
        directory.link("deploy/a/round", to: "..")
        directory.link("deploy/a/top", to: "../..")
        let scan = try DirectoryScan.scan(directory.path)
        #expect(
            scan.entries.map(\.path) == [
                "deploy", "deploy/a", "deploy/a/b", "deploy/a/b/x.sql", "deploy/a/out", "deploy/a/round",
                "deploy/a/top", "deploy/c", "deploy/c/v", "deploy/c/v/x.sql", "other", "other/a", "sqitch.plan",
                "verify",
                "verify/v", "verify/v/x.sql",
            ])
        let entries = Dictionary(uniqueKeysWithValues: scan.entries.map { ($0.path, $0) })
        #expect(
            entries["deploy/a/out"]?.kind == .other(reason: "it is a symbolic link that leads out of the directory"))
        #expect(entries["deploy/a/round"]?.closedBecause == "it is a symbolic link to a directory that it is in")
        #expect(
            entries["deploy/a/top"]?.kind == .other(reason: "it is a symbolic link to the directory that it is in"))
        for path in ["deploy/a/b/x.sql", "deploy/c/v/x.sql"] {
            #expect(try scan.read(try #require(entries[path]), limit: 100).count == 10)
        }
    }

    @Test func `lists eight folders in one another, and no more`() throws {
        try directory.write("sqitch.plan")
        var path = "deploy"
        directory.make(path)
        for number in 1...9 {
            path += "/\(number)"
            directory.make(path)
            try directory.write("\(path)/x.sql")
        }
        let files = try DirectoryScan.scan(directory.path).entries.map(\.path).filter { $0.hasSuffix("x.sql") }
        #expect(files.count == 8)
        #expect(files.contains("deploy/1/2/3/4/5/6/7/8/x.sql"))
    }

    @Test func `says which of its errors it is`() throws {
        try directory.write("file")
        directory.link("loop", to: "loop")
        #expect(problem(directory.at("missing")) == .inputOutput)
        #expect(problem(directory.at("file")) == .configuration)
        #expect(problem(directory.at("file/below")) == .configuration)
        #expect(problem(directory.at("loop")) == .inputOutput)
        #expect(problem("") == .inputOutput)
    }

    private func problem(_ path: String) -> Reporting.ExitStatus? {
        do {
            _ = try DirectoryScan.scan(path)
            return nil
        } catch { return error.status }
    }

    @Test func `follows the links of its path and none out of the directory`() throws {
        directory.make("release")
        directory.make("release/m")
        try directory.write("release/m/real.sql")
        try directory.write("outside.sql")
        directory.link("current", to: "release")
        directory.link("release/m/alias.sql", to: "real.sql")
        directory.link("release/m/out.sql", to: "../../outside.sql")
        directory.link("release/m/absolute.sql", to: directory.at("outside.sql"))
        directory.link("release/m/loop.sql", to: "loop.sql")
        directory.link("release/m/nothing.sql", to: "gone.sql")
        directory.link("release/m/self", to: ".")
        let scan = try DirectoryScan.scan(directory.at("current/m"))
        let reasons = Dictionary(uniqueKeysWithValues: scan.entries.map { ($0.path, $0.kind) })
        #expect(
            reasons == [
                "real.sql": .file, "alias.sql": .file,
                "out.sql": .other(reason: "it is a symbolic link that leads out of the directory"),
                "absolute.sql": .other(reason: "it is a symbolic link that leads out of the directory"),
                "loop.sql": .other(reason: "it is a loop of symbolic links"),
                "nothing.sql": .other(reason: "it is a symbolic link to nothing"),
                "self": .other(reason: "it is a symbolic link to the directory that it is in"),
            ])
        let alias = try #require(scan.entries.first { $0.path == "alias.sql" })
        #expect(alias.isSymbolicLink)
        #expect(alias.facts.kind == .regular)
        #expect(try scan.read(alias, limit: 100) == Array("SELECT 1;\n".utf8))
    }

    @Test func `reads a mounted configuration whose files are links through a linked directory`() throws {
        directory.make("..2026")
        try directory.write("..2026/x.sql")
        directory.link("..data", to: "..2026")
        directory.link("x.sql", to: "..data/x.sql")
        let scan = try DirectoryScan.scan(directory.path)
        #expect(scan.entries.map(\.path) == ["..2026", "..2026/x.sql", "..data", "..data/x.sql", "x.sql"])
        for path in ["x.sql", "..data/x.sql"] {
            let entry = try #require(scan.entries.first { $0.path == path })
            #expect(try scan.read(entry, limit: 100).count == 10)
        }
    }

    @Test func `a path that is swapped mixes no two directories`() throws {
        directory.make("one")
        directory.make("two")
        try directory.write("one/x.sql", "one")
        try directory.write("two/x.sql", "two")
        directory.link("current", to: "one")
        let scan = try DirectoryScan.scan(directory.at("current"))
        directory.swap("current", to: "two")
        #expect(try scan.read(scan.entries[0], limit: 100) == Array("one".utf8))
    }

    @Test func `what is no regular file does not hang`() throws {
        #expect(mkfifo(directory.at("x.sql"), 0o644) == 0)
        let listener = try Listener(directory.at("y.sql"))
        _ = listener
        let scan = try DirectoryScan.scan(directory.path)
        #expect(scan.entries.map(\.kind) == [.other(reason: "it is a named pipe"), .other(reason: "it is a socket")])
        #expect(throws: Complaint(.badFile, "cannot read '\(directory.path)/x.sql': it is a named pipe")) {
            try scan.read(scan.entries[0], limit: 100)
        }
        // Also where it takes a file's place after the scan.
        try directory.write("z.sql")
        let again = try DirectoryScan.scan(directory.path)
        directory.move("x.sql", to: "z.sql")
        #expect(status { try again.read(again.entries[2], limit: 100) } == .tryLater)
    }

    @Test func `a name that is no text is listed and can be read`() throws {
        let name: [UInt8] = [0xFF, 0x41]
        let file = withPath(Array(directory.path.utf8) + [0x2F] + name) { open($0, O_WRONLY | O_CREAT, 0o600) }
        #expect(file >= 0)
        close(file)
        let scan = try DirectoryScan.scan(directory.path)
        #expect(scan.entries.map(\.pathBytes) == [name])
        #expect(scan.entries.map(\.path) == ["\u{FFFD}A"])
        #expect(!scan.entries[0].nameIsUTF8)
        #expect(try scan.read(scan.entries[0], limit: 100) == [])
    }

    @Test(arguments: ["grow", "rewrite", "replace", "remove", "swap in a link", "change the mode"])
    func `a file that changed since it was listed is not read`(change: String) throws {
        try directory.write("x.sql")
        try directory.write("other.sql", "SELECT 2;\n")
        let scan = try DirectoryScan.scan(directory.path)
        let entry = scan.entries[1]
        try alter(change)
        #expect(status { try scan.read(entry, limit: 100) } == .tryLater)
    }

    @Test(arguments: ["grow", "rewrite", "change the mode"])
    func `a file that changes while it is read is not taken`(change: String) throws {
        try directory.write("x.sql")
        let scan = try DirectoryScan.scan(directory.path)
        let entry = scan.entries[0]
        let result = status { try scan.read(entry, limit: 100) { try? alter(change) } }
        #expect(result == .tryLater)
    }

    /// Changes `x.sql`, after a pause longer than the clock tick that file times are kept in.
    private func alter(_ change: String) throws {
        usleep(20_000)
        switch change {
        case "grow": try directory.write("x.sql", "SELECT 1;\nSELECT 2;\n")
        case "rewrite": try directory.write("x.sql", "SELECT 9;\n")
        case "replace": directory.move("other.sql", to: "x.sql")
        case "remove": directory.remove("x.sql")
        case "swap in a link": directory.swap("x.sql", to: "other.sql")
        default: chmod(directory.at("x.sql"), 0o666)
        }
    }

    @Test func `a plain name is opened through no link at all`() throws {
        directory.make("real")
        try directory.write("real/x.sql")
        directory.link("folder", to: "real")
        directory.link("real/y.sql", to: "x.sql")
        let root = try Descriptor(opening: directory.path, O_RDONLY | O_DIRECTORY)
        for name in ["folder/x.sql", "real/y.sql"] {
            #expect(throws: SystemFailure.self) {
                try DirectoryScan.open(Array(name.utf8), in: root, O_RDONLY, following: false, path: name)
            }
            _ = try DirectoryScan.open(Array(name.utf8), in: root, O_RDONLY, following: true, path: name)
        }
    }

    @Test func `a file above the limit is refused`() throws {
        try directory.write("x.sql")
        let scan = try DirectoryScan.scan(directory.path)
        #expect(status { try scan.read(scan.entries[0], limit: 9) } == .badFile)
        #expect(status { try scan.read(scan.entries[0], limit: 10) } == nil)
    }

    @Test func `a large file is read whole`() throws {
        let text = String(repeating: "0123456789abcdef", count: 1 << 17)
        try directory.write("x.sql", text)
        let scan = try DirectoryScan.scan(directory.path)
        #expect(try scan.read(scan.entries[0], limit: 1 << 30) == Array(text.utf8))
        #expect(try WholeFile.read(directory.at("x.sql"), limit: 1 << 30) == Array(text.utf8))
    }

    @Test func `an open writer is seen where the file system tells`() throws {
        try directory.write("x.sql")
        let scan = try DirectoryScan.scan(directory.path)
        let entry = scan.entries[0]
        guard let before = scan.isBeingWritten(entry) else { return }
        #expect(!before)
        var writer: Descriptor? = try Descriptor(opening: directory.at("x.sql"), O_WRONLY)
        #expect(scan.isBeingWritten(entry) == true)
        _ = writer
        writer = nil
        #expect(scan.isBeingWritten(entry) == false)
    }

    @Test(arguments: [
        (0, 0o644, nil), (0, 0o755, nil), (500, 0o600, nil),
        (501, 0o600, "is owned by user 501, who is neither root nor the user of this process"),
        (0, 0o664, "can be written by its group (mode 0664)"), (500, 0o666, "can be written by everybody (mode 0666)"),
        (0, 0o1777, "can be written by everybody (mode 01777)"),
    ])
    func `ownership and mode are judged`(user: Int, mode: Int, problem: String?) {
        let facts = FileFacts(kind: .regular, user: UInt32(user), mode: UInt32(mode))
        #expect(facts.permissionProblem(effectiveUser: 500) == problem)
    }

    @Test func `a file is as safe as the directories above it`() throws {
        directory.make("a")
        try directory.write("a/migration.sql")
        #expect(try firstProblem() == nil)
        chmod(directory.at("a/migration.sql"), 0o646)
        #expect(
            try firstProblem() == "file '\(directory.path)/a/migration.sql' can be written by everybody (mode 0646)")
        chmod(directory.at("a"), 0o775)
        #expect(try firstProblem() == "directory '\(directory.path)/a' can be written by its group (mode 0775)")
        chmod(directory.path, 0o1777)
        #expect(try firstProblem() == "directory '\(directory.path)' can be written by everybody (mode 01777)")
    }

    @Test func `a file is as safe as every folder on the way to it`() throws {
        try directory.write("sqitch.plan")
        for folder in ["deploy", "deploy/a", "deploy/a/b"] { directory.make(folder) }
        try directory.write("deploy/a/b/x.sql")
        for folder in ["deploy", "deploy/a", "deploy/a/b"] {
            chmod(directory.at(folder), 0o777)
            let scan = try DirectoryScan.scan(directory.path)
            let entry = try #require(scan.entries.first { $0.path == "deploy/a/b/x.sql" })
            #expect(
                scan.permissionProblem(of: entry, effectiveUser: geteuid())
                    == "directory '\(directory.path)/\(folder)' can be written by everybody (mode 0777)")
            chmod(directory.at(folder), 0o755)
        }
    }

    private func firstProblem() throws -> String? {
        let scan = try DirectoryScan.scan(directory.path)
        let entry = try #require(scan.entries.first { $0.path == "a/migration.sql" })
        return scan.permissionProblem(of: entry, effectiveUser: geteuid())
    }

    private func status<Result>(_ body: () throws -> Result) -> Reporting.ExitStatus? {
        do {
            _ = try body()
            return nil
        } catch { return (error as? Complaint)?.status }
    }
}
