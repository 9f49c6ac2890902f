import Glibc
import LiveSupport
import Testing

@Suite struct `A temporary directory` {
    @Test func `goes with everything in it`() throws {
        var directory: TemporaryDirectory? = try TemporaryDirectory()
        let path = try #require(directory?.path)
        try directory?.write("deep/er/file", "text")
        #expect(try directory?.read("deep/er/file") == "text")
        directory = nil
        #expect(access(path, F_OK) == -1)
    }

    @Test func `takes any bytes, and files renamed in`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("bytes", bytes: [0, 255, 10])
        #expect(try Program.run("/usr/bin/od", ["-An", "-tu1", directory.path("bytes")]).output == "   0 255  10\n")
        try directory.renameIn("1_a.sql", "SELECT 1;")
        #expect(try directory.read("1_a.sql") == "SELECT 1;")
        try directory.remove("1_a.sql")
        #expect(try Program.run("/bin/ls", ["-A", directory.path]).output == "bytes\n")
    }
}
