import Glibc

/// The folder of `*.sql` cases beside this file; each has its expected description in `*.expected`.
enum GoldenFiles {
    static let folder = String(#filePath.dropLast("GoldenFiles.swift".count)) + "Golden/"

    /// The names of all cases, without `.sql`.
    static let cases: [String] = {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".sql") { names.append(String(name.dropLast(4))) }
        }
        return names.sorted()
    }()

    static func read(_ name: String) -> [UInt8]? {
        guard let file = fopen(folder + name, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return bytes
    }

    /// Set to write what was found as what is expected, for a new case; read the difference before committing it.
    static let records = getenv("RECORD_GOLDEN") != nil

    static func write(_ text: String, to name: String) {
        guard let file = fopen(folder + name, "w") else { return }
        fputs(text, file)
        fclose(file)
    }
}
