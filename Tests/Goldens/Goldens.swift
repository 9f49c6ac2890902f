import Glibc

/// The folder `Golden` beside a test: cases, and what is expected of each.
public struct Goldens: Sendable {
    /// The folder, relative to the project's.
    public let folder: String

    /// The one beside `file`.
    public init(file: String = #filePath) {
        let tests = file.dropFirst(ProjectFiles.folder.count + 1)
        folder = tests[...(tests.lastIndex(of: "/") ?? tests.startIndex)] + "Golden"
    }

    /// Set to write what was found as what is expected, for a new case; read the difference before committing it.
    public static let records = getenv("RECORD_GOLDEN") != nil

    /// The names of the cases that end in `suffix`, without it.
    public func cases(_ suffix: String) -> [String] {
        names().filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
    }

    /// The names in the folder, or in one of its folders.
    public func names(in name: String = "") -> [String] { ProjectFiles.names(in: "\(folder)/\(name)") }

    /// The bytes of a file of the folder.
    public func read(_ name: String) -> [UInt8]? { ProjectFiles.contents("\(folder)/\(name)") }

    /// What a file expects, after it has been written anew where that was asked for.
    public func expected(_ name: String, found: String) -> String? {
        if Goldens.records, !ProjectFiles.write(found, to: "\(folder)/\(name)") { return nil }
        return ProjectFiles.text("\(folder)/\(name)")
    }
}
