import Glibc

/// The project's folder, found from this file.
let projectFolder = String(#filePath.dropLast("/Tests/ConfigurationTests/Files.swift".count))

/// The bytes of a file of the project; nil where it cannot be read.
func contents(_ path: String) -> [UInt8]? {
    guard let file = fopen(projectFolder + "/" + path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&buffer, 1, buffer.count, file)
        if count == 0 { return bytes }
        bytes += buffer[..<count]
    }
}

/// Writes a file of the project anew.
func write(_ text: String, to path: String) -> Bool {
    guard let file = fopen(projectFolder + "/" + path, "w") else { return false }
    defer { fclose(file) }
    return fputs(text, file) >= 0
}

/// The names in a folder of the project, sorted.
func names(in folder: String) -> [String] {
    guard let stream = opendir(projectFolder + "/" + folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
}
