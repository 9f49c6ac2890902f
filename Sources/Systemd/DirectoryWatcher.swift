internal import CLinux
internal import Glibc
internal import Reporting

/// Tells that a directory, or what the path to it leads to, may have changed; by inotify(7).
///
/// A hint without content: events get lost, come twice, or are of no interest, and a network file system sends none for what other hosts
/// do. A `DirectoryScan` tells what is there; a rescan now and then covers what no event told. Make the watcher first and scan then, and
/// nothing falls between them.
///
/// The path may lead through symbolic links, any of which may be swapped; directories on the way may be moved, removed and made again; it
/// need not exist yet. One level of directories in it is watched too, and all that is below `DeepFolders`.
public final class DirectoryWatcher: PollSource {
    private let path: String
    private var inotify: Descriptor?
    private var plan = WatchPlan("")
    private var watches: [Int32: WatchPlan.Reasons] = [:]
    private var writers = OpenWriters()
    private var hinted = false

    /// When something last happened in the directory or to the path.
    public private(set) var lastActivity: Instant?
    /// Why not all is watched, where that is so; for instance ENOSPC for too many watches of this user. Hints may be missing then.
    public private(set) var failure: SystemFailure?

    /// Watches `path`, relative to the working directory of this moment where it does not begin with a slash.
    public init(path: String) {
        self.path = path
        watchAll()
    }

    /// Tries again to watch what could not be watched, where there is a `failure`.
    public func mend() {
        if failure != nil { watchAll() }
    }

    /// Whether something may have changed since this was last asked.
    public func takeHint() -> Bool {
        defer { hinted = false }
        return hinted
    }

    /// The files, as paths relative to the directory, that somebody has created or written and not yet closed; forgotten a minute after
    /// their last event. A file may be missing here that was opened before it was watched: `DirectoryScan.isBeingWritten` can tell.
    public var openWriters: Set<String> { writers.paths(now: .now()) }

    /// The inotify descriptor; nil where the kernel gave none.
    public var descriptor: Int32? { inotify?.number }
    /// Always for reading.
    public var interest: PollInterest { .read }
    /// None.
    public var deadline: Instant? { nil }
    /// Nothing to do.
    public func deadlinePassed(now: Instant) {}

    /// Takes in what has happened. Takes no more than a bounded number of events at a time, so that a flood does not hold up the loop.
    public func ready(_ events: PollInterest, now: Instant) {
        guard let inotify else { return }
        var mustResolve = false
        var created: Set<String> = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        for _ in 0..<16 {
            let count = retrying { unsafe read(inotify.number, &buffer, buffer.count) }
            if count <= 0 { break }
            for event in InotifyEvent.parse(buffer[..<count]) {
                if take(event, &created, now: now) { mustResolve = true }
            }
        }
        if mustResolve { watchAll() }
        for path in created where writers.contains(path) {
            // A name that comes without a writer: a second link to a file, a symbolic link, a device.
            let facts = plan.target.flatMap { FileFacts(at: $0 + Array("/\(path)".utf8), followed: false) }
            if facts?.kind != .regular || facts?.links != 1 { writers.forget(path) }
        }
    }

    /// Takes one event in; whether the path must be walked anew because of it.
    private func take(_ event: InotifyEvent, _ created: inout Set<String>, now: Instant) -> Bool {
        if event.mask.contains(.overflow) {
            noteActivity(now)
            return true
        }
        guard let reasons = watches[event.watch] else { return false }
        var mustResolve = false
        if !event.mask.isDisjoint(with: [.ignored, .unmount]) {
            watches[event.watch] = nil
            mustResolve = reasons.isOnTheWay || reasons.isTarget || !reasons.names.isEmpty
            noteActivity(now)
        }
        if reasons.isOnTheWay || reasons.isTarget, !event.mask.isDisjoint(with: .itself) { mustResolve = true }
        if reasons.names.contains(event.name), !event.mask.isDisjoint(with: .names) { mustResolve = true }
        if mustResolve { noteActivity(now) }
        if !event.mask.isDisjoint(with: .content) {
            if reasons.isTarget {
                noteActivity(now)
                noteContent(event, event.name, &created, now: now)
                if changesDeepFolders(event, event.name) { mustResolve = true }
                noteSubdirectory(event)
            }
            for subdirectory in reasons.subdirectories {
                let name = subdirectory + [UInt8(ascii: "/")] + event.name
                noteActivity(now)
                noteContent(event, name, &created, now: now)
                if changesDeepFolders(event, name) { mustResolve = true }
            }
        }
        return mustResolve
    }

    private func noteActivity(_ now: Instant) {
        hinted = true
        lastActivity = now
    }

    private func noteContent(_ event: InotifyEvent, _ name: [UInt8], _ created: inout Set<String>, now: Instant) {
        if event.name.isEmpty || event.mask.contains(.isDirectory) { return }
        let path = String(decoding: name, as: UTF8.self)
        writers.note(event.mask, path, now: now)
        if event.mask.contains(.create) { created.insert(path) }
    }

    /// Watches a directory, or a symbolic link to one, that came into the directory; no longer watches one that went.
    private func noteSubdirectory(_ event: InotifyEvent) {
        guard let target = plan.target, !event.mask.isDisjoint(with: .names), !event.name.isEmpty else { return }
        for (watch, reasons) in watches where reasons.subdirectories.contains(event.name) {
            watches[watch]?.subdirectories.remove(event.name)
            if watches[watch]?.isEmpty == true {
                watches[watch] = nil
                if let inotify { inotify_rm_watch(inotify.number, watch) }
            }
        }
        guard !event.mask.isDisjoint(with: [.create, .movedTo]) else { return }
        let path = target + [UInt8(ascii: "/")] + event.name
        guard FileFacts(at: path, followed: true)?.kind == .directory else { return }
        var reasons = WatchPlan.Reasons()
        reasons.subdirectories = [event.name]
        watch(path, reasons, into: &watches)
    }

    /// Whether other directories below deep folders are to be watched now, or other folders are deep. A directory that comes may hold others.
    private func changesDeepFolders(_ event: InotifyEvent, _ name: [UInt8]) -> Bool {
        guard let target = plan.target, !event.mask.isDisjoint(with: .names), !event.name.isEmpty else { return false }
        if name == DeepFolders.mark { return true }
        guard plan.isDeep, DeepFolders.holds(name) else { return false }
        // A symbolic link to a directory is none itself.
        return event.mask.contains(.isDirectory) || watches.values.contains { $0.subdirectories.contains(name) }
            || FileFacts(at: target + [UInt8(ascii: "/")] + name, followed: true)?.kind == .directory
    }

    /// Walks the path and watches all that it leads over, again until the walk has gone the same way twice.
    private func watchAll() {
        if inotify == nil {
            let number = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
            inotify = number < 0 ? nil : Descriptor(owning: number)
            failure = number < 0 ? .last("open an inotify descriptor") : nil
        }
        guard let inotify else { return }
        var next = WatchPlan(path)
        for _ in 0..<8 {
            plan = next
            failure = plan.failure
            var fresh: [Int32: WatchPlan.Reasons] = [:]
            for (directory, reasons) in plan.directories { watch(directory, reasons, into: &fresh) }
            for old in watches.keys where fresh[old] == nil { inotify_rm_watch(inotify.number, old) }
            watches = fresh
            next = WatchPlan(path)
            if next == plan { return }
        }
    }

    private func watch(_ directory: [UInt8], _ reasons: WatchPlan.Reasons, into table: inout [Int32: WatchPlan.Reasons])
    {
        guard let inotify else { return }
        func add(_ mask: InotifyEvent.Mask) -> Int32 {
            unsafe withPath(directory) { unsafe inotify_add_watch(inotify.number, $0, mask.rawValue) }
        }
        let watch = add(reasons.mask)
        if watch < 0 {
            // What has just gone is found by the next walk.
            if errno != ENOENT && errno != ENOTDIR {
                failure = .last("watch", path: String(decoding: directory, as: UTF8.self))
            }
            return
        }
        if let known = table[watch] {
            // The same directory by a second path: the kernel has replaced the mask.
            var both = known
            both.formUnion(reasons)
            table[watch] = both
            if both.mask != reasons.mask { _ = add(both.mask) }
        } else {
            table[watch] = reasons
        }
    }
}
