import Glibc
import Systemd
import Testing

@Suite struct `A growing file` {
    let folder: TemporaryDirectory
    let state: StateDirectory

    init() throws {
        folder = try TemporaryDirectory()
        state = StateDirectory(path: folder.path + "/state/1-2")
    }

    @Test func `holds what was appended, by several writers at once, each line for itself`() throws {
        let first = GrowingFile(state, "anchors")
        let second = GrowingFile(state, "anchors")
        for number in 0..<50 {
            try first.append(["a\(number)", "b\(number)"])
            try second.append(["c\(number)"])
        }
        try first.settle()
        try second.settle()
        #expect(try state.lines(of: "anchors") == (0..<50).flatMap { ["a\($0)", "b\($0)", "c\($0)"] })
        #expect(second.size == Int64(try state.lines(of: "anchors").reduce(0) { $0 + $1.utf8.count + 1 }))
    }

    @Test func `is read from its end, whole lines alone`() throws {
        #expect(try state.lastLines(of: "anchors", count: 8) == [])
        let file = GrowingFile(state, "anchors")
        try file.append(["first", "second", "third"])
        #expect(try state.lastLines(of: "anchors", count: 1000) == ["first", "second", "third"])
        #expect(try state.lastLines(of: "anchors", count: 19) == ["first", "second", "third"])
        #expect(try state.lastLines(of: "anchors", count: 15) == ["second", "third"])
        #expect(try state.lastLines(of: "anchors", count: 12) == ["third"])
        #expect(try state.lastLines(of: "anchors", count: 3) == [])
    }

    @Test func `closes a line that a crash left unfinished`() throws {
        let file = GrowingFile(state, "anchors")
        try file.append(["one"])
        try folder.write("state/1-2/anchors", "one\ntw")
        try GrowingFile(state, "anchors").append(["three"])
        #expect(try state.lines(of: "anchors") == ["one", "tw", "three"])
    }

    @Test func `is replaced as a whole, and followed by those that had it open`() throws {
        let file = GrowingFile(state, "anchors")
        let other = GrowingFile(state, "anchors")
        try file.append(["1", "2", "3"])
        try other.append(["4"])
        try file.replace(keepingOldAs: "anchors.epoch1") { ["new"] + $0.suffix(1) }
        try other.append(["5"])
        try file.append(["6"])
        try other.settle()
        try file.settle()
        #expect(try state.lines(of: "anchors") == ["new", "4", "5", "6"])
        #expect(try state.lines(of: "anchors.epoch1") == ["1", "2", "3", "4"])
    }

    @Test func `says what is in its way, and goes on when that has gone`() throws {
        try folder.write("state")
        let file = GrowingFile(state, "anchors")
        let failure = #expect(throws: SystemFailure.self) { try file.append(["1"]) }
        #expect(failure?.complaint.message.contains("Not a directory") == true, "\(String(describing: failure))")
        #expect(unlink(folder.path + "/state") == 0)
        try file.append(["2"])
        try file.settle()
        #expect(try state.lines(of: "anchors") == ["2"])
    }

    @Test func `is no link to somewhere else`() throws {
        try GrowingFile(state, "anchors").append(["1"])
        #expect(symlink(folder.path + "/elsewhere", state.path + "/other") == 0)
        #expect(throws: SystemFailure.self) { try GrowingFile(state, "other").append(["1"]) }
        #expect(access(folder.path + "/elsewhere", F_OK) != 0)
    }
}
