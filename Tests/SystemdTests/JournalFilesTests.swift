import Glibc
import Testing

@testable import Systemd

/// Which files are looked for, and what is said of those that cannot be read. Real ones are read under a real journald: System, The journal as a witness.
@Suite struct `The files of a journal` {
    private let folder: TemporaryDirectory
    private static let machine = "0123456789abcdef0123456789abcdef"

    init() throws { folder = try TemporaryDirectory() }

    private func place(_ name: String, _ text: String = "LPKSHHRH and no more") throws { try folder.write(name, text) }

    @Test func `are those that journald and its collector name, of the namespace that was asked for`() throws {
        for name in ["a.journal", "b.journal~", "c.log", "journal", "remote-x.journal"] { try place(name) }
        for part in ["", ".app", ".app.two"] {
            folder.make(Self.machine + part)
            try place("\(Self.machine)\(part)/system.journal")
        }
        // Not a machine's, but a folder of somebody's.
        folder.make("remote")
        try place("remote/d.journal")
        func tried(_ namespace: String?) -> [String] {
            // None of them is a journal, so that each that was tried is told.
            let files = JournalFiles(.init(directory: folder.path, namespace: namespace))
            #expect(files.count == 0)
            return files.failures.compactMap { $0.path.map { String($0.dropFirst(folder.path.utf8.count + 1)) } }
        }
        let top = ["a.journal", "b.journal~", "remote-x.journal"]
        func part(_ name: String) -> String { "\(Self.machine)\(name)/system.journal" }
        #expect(tried(nil).sorted() == ([part("")] + top).sorted())
        #expect(tried("app").sorted() == ([part(".app")] + top).sorted())
        #expect(tried("*").sorted() == ([part(""), part(".app"), part(".app.two")] + top).sorted())
        #expect(JournalFiles(.init(directory: folder.path)).otherNamespaces == ["app", "app.two"])
        #expect(JournalFiles(.init(directory: folder.path, namespace: "app")).otherNamespaces == ["", "app.two"])
    }

    @Test func `that are no journal are told, and none is waited for`() throws {
        try place("empty.journal", "")
        try place("short.journal", "LPKSHHRH")
        try place("text.journal", "a text that is long enough")
        #expect(mkfifo(folder.path + "/pipe.journal", 0o600) == 0)
        folder.link("link.journal", to: "missing")
        let files = JournalFiles(.init(directory: folder.path))
        #expect(files.count == 0 && files.failures.count == 5, "\(files.failures)")
        #expect(files.failures.contains { $0.errno == ENOENT }, "\(files.failures)")
        let gone = JournalFiles(.init(directory: folder.path + "/gone"))
        #expect(gone.failures.map(\.errno) == [ENOENT])
    }

    @Test(
        arguments: [
            ("remote-db1.journal", "db1"), ("remote-db1.example.org.journal", "db1.example.org"),
            ("remote-db1@00aa-01-02.journal", "db1"), ("remote-db1.example.org@00aa-01-02.journal~", "db1.example.org"),
            ("remote-10.0.0.1.journal", "10.0.0.1"), ("remote-.journal", ""), ("system.journal", nil),
            ("remote.journal", nil),
            ("user-1000.journal", nil),
        ] as [(String, String?)])
    func `carry the name of the host that sent them`(name: String, sender: String?) {
        #expect(JournalFiles.sender(name) == sender)
    }
}
