import Glibc

/// The files of the project, found from this one.
public enum ProjectFiles {
    /// The project's folder.
    public static let folder = String(#filePath.dropLast("/Tests/Goldens/ProjectFiles.swift".count))

    /// Set to write pages and example files anew from what they are made of.
    public static let rewrites = getenv("REWRITE_REFERENCE") != nil

    /// The bytes of a file of the project; nil where it cannot be read.
    public static func contents(_ path: String) -> [UInt8]? {
        guard let file = fopen(folder + "/" + path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return bytes
    }

    /// The text of a file of the project; nil where it cannot be read.
    public static func text(_ path: String) -> String? { contents(path).map { String(decoding: $0, as: UTF8.self) } }

    /// Writes a file of the project anew.
    public static func write(_ text: String, to path: String) -> Bool {
        guard let file = fopen(folder + "/" + path, "w") else { return false }
        defer { fclose(file) }
        return fputs(text, file) >= 0
    }

    /// The names in a folder of the project, by their bytes, without hidden ones; none where it is no folder.
    public static func names(in path: String) -> [String] {
        guard let directory = opendir(folder + "/" + path) else { return [] }
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
}
