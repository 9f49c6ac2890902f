internal import Glibc

/// What must be watched so that no change goes unseen of what a path leads to.
///
/// The directory itself and its directories (and all of `DeepFolders`) for their content; the directory's parent and that of every symbolic link on the way for the one
/// name that leads on; every real directory on the way for being moved. Where the path ends early, the last directory that exists is
/// watched for the missing name.
struct WatchPlan: Equatable {
    /// Why a directory is watched.
    struct Reasons: Equatable {
        /// It is on the way.
        var isOnTheWay = false
        /// It is the directory.
        var isTarget = false
        /// It is a directory in it, under these names or paths (a symbolic link may give it a second one).
        var subdirectories: Set<[UInt8]> = []
        /// These names in it lead on.
        var names: Set<[UInt8]> = []

        var isEmpty: Bool { self == Reasons() }

        mutating func formUnion(_ other: Reasons) {
            isOnTheWay = isOnTheWay || other.isOnTheWay
            isTarget = isTarget || other.isTarget
            subdirectories.formUnion(other.subdirectories)
            names.formUnion(other.names)
        }

        var mask: InotifyEvent.Mask {
            var mask: InotifyEvent.Mask = .onlyDirectory
            if isOnTheWay || isTarget { mask.formUnion(.itself) }
            if isTarget || !subdirectories.isEmpty { mask.formUnion(.content) }
            if !names.isEmpty { mask.formUnion(.names) }
            return mask
        }
    }

    /// Why each directory is watched, by its path without symbolic links (those to a directory in the directory excepted).
    private(set) var directories: [[UInt8]: Reasons] = [:]
    /// Whether it has folders of which all that is below them is watched.
    private(set) var isDeep = false
    /// Device and inode of each directory on the way and below deep folders, so that two plans differ where a directory was replaced.
    private var identities: [[UInt8]: [UInt64]] = [:]
    /// Where the path leads to; nil where it ends early.
    private(set) var target: [UInt8]?
    /// Why not all of it is known, where that is so.
    private(set) var failure: SystemFailure?

    private static let slash = UInt8(ascii: "/")
    /// As many symbolic links as the kernel follows; see path_resolution(7).
    private static let mostLinks = 40

    /// Walks `path`, absolute or from the working directory, as the kernel would.
    init(_ path: String) {
        var rest = Array(path.utf8).split(separator: WatchPlan.slash).map(Array.init).reversed() as [[UInt8]]
        var current: [UInt8] = path.hasPrefix("/") ? [] : WatchPlan.workingDirectory()
        var links = 0
        if path.isEmpty || path.utf8.contains(0) { return }
        while let name = rest.popLast() {
            if name == Array(".".utf8) { continue }
            if name == Array("..".utf8) {
                current = Array(current[..<(current.lastIndex(of: WatchPlan.slash) ?? 0)])
                continue
            }
            let next = current + [WatchPlan.slash] + name
            switch FileFacts(at: next, followed: false) {
            case .some(let facts) where facts.kind == .directory:
                if rest.isEmpty { watch(current) { $0.names.insert(name) } }
                current = next
                watch(current) { $0.isOnTheWay = true }
                identities[current] = [facts.device, facts.inode]
            case .some(let facts) where facts.kind == .symbolicLink:
                watch(current) { $0.names.insert(name) }
                links += 1
                guard links <= WatchPlan.mostLinks, let target = WatchPlan.target(ofLink: next) else { return }
                if target.first == WatchPlan.slash { current = [] }
                rest += target.split(separator: WatchPlan.slash).map(Array.init).reversed()
            default:
                watch(current) { $0.names.insert(name) }
                return
            }
        }
        target = current
        watch(current) { $0.isTarget = true }
        do throws(SystemFailure) {
            try watchSubdirectories(of: current)
        } catch {
            // What has just gone is found by the next walk.
            if ![ENOENT, ENOTDIR].contains(error.errno) { failure = error }
        }
    }

    /// The names in `directory` that lead to a directory; below deep folders the directories that a scan lists.
    private mutating func watchSubdirectories(of directory: [UInt8]) throws(SystemFailure) {
        let path = String(decoding: directory, as: UTF8.self)
        let opened = try Descriptor(
            opening: directory.isEmpty ? [WatchPlan.slash] : directory, O_RDONLY | O_DIRECTORY)
        let names = try DirectoryNames.list(opened, path: path)
        for name in names {
            let whole = directory + [WatchPlan.slash] + name
            guard FileFacts(at: whole, followed: true)?.kind == .directory else { continue }
            watch(whole) { $0.subdirectories.insert(name) }
        }
        isDeep = names.contains(DeepFolders.mark)
        guard isDeep else { return }
        let facts = try FileFacts(of: opened, path: path)
        for entry in try DirectoryScan.entries(of: opened, facts, path: path)
        where entry.kind == .directory && DeepFolders.holds(entry.pathBytes) {
            let whole = directory + [WatchPlan.slash] + entry.pathBytes
            watch(whole) { $0.subdirectories.insert(entry.pathBytes) }
            identities[whole] = [entry.facts.device, entry.facts.inode]
        }
    }

    private mutating func watch(_ directory: [UInt8], _ reason: (inout Reasons) -> Void) {
        reason(&directories[directory.isEmpty ? [WatchPlan.slash] : directory, default: Reasons()])
    }

    private static func workingDirectory() -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard unsafe getcwd(&buffer, buffer.count) != nil else { return [] }
        let path = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return path == [slash] ? [] : path
    }

    private static func target(ofLink path: [UInt8]) -> [UInt8]? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe withPath(path) { unsafe readlink($0, &buffer, buffer.count) }
        return count <= 0 ? nil : buffer.prefix(count).map { UInt8(bitPattern: $0) }
    }
}
