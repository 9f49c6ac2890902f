import Glibc

/// The folders beside this file: each holds the files of a line, in the order of their names, and an `expected.txt`.
enum GoldenFolders {
    static let folder = String(#filePath.dropLast("GoldenFolders.swift".count)) + "Golden/"

    /// The names of all cases.
    static let cases = names(in: folder).filter { names(in: folder + $0).contains("expected.txt") || records }

    /// The entries of a directory, by the bytes of their names.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return bytes
    }

    /// Set to write what was found as what is expected, for a new case; read the difference before committing it.
    static let records = getenv("RECORD_GOLDEN") != nil

    static func write(_ text: String, to path: String) {
        guard let file = fopen(path, "w") else { return }
        fputs(text, file)
        fclose(file)
    }
}
