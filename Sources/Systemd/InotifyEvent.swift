internal import CLinux

/// One event of inotify(7).
struct InotifyEvent {
    /// What happened, as one bit each.
    struct Mask: OptionSet, Hashable {
        var rawValue: UInt32
        init(rawValue: UInt32) { self.rawValue = rawValue }
        private init(_ bits: some BinaryInteger) { rawValue = UInt32(bits) }

        static let create = Mask(IN_CREATE)
        static let modify = Mask(IN_MODIFY)
        static let attributes = Mask(IN_ATTRIB)
        static let closeWrite = Mask(IN_CLOSE_WRITE)
        static let movedFrom = Mask(IN_MOVED_FROM)
        static let movedTo = Mask(IN_MOVED_TO)
        static let delete = Mask(IN_DELETE)
        static let deleteSelf = Mask(IN_DELETE_SELF)
        static let moveSelf = Mask(IN_MOVE_SELF)
        static let overflow = Mask(IN_Q_OVERFLOW)
        static let ignored = Mask(IN_IGNORED)
        static let unmount = Mask(IN_UNMOUNT)
        static let isDirectory = Mask(IN_ISDIR)
        static let onlyDirectory = Mask(IN_ONLYDIR)

        /// A name came or went.
        static let names: Mask = [.create, .movedFrom, .movedTo, .delete]
        /// The directory itself came away.
        static let itself: Mask = [.deleteSelf, .moveSelf]
        /// Whatever can matter to a reader of the files in a directory.
        static let content: Mask = [.names, .modify, .attributes, .closeWrite]
    }

    var watch: Int32
    var mask: Mask
    /// The name in the watched directory; empty for the directory itself.
    var name: [UInt8]

    /// The events in what one read(2) gave.
    static func parse(_ bytes: ArraySlice<UInt8>) -> [InotifyEvent] {
        let header = 16
        var events: [InotifyEvent] = []
        var rest = bytes
        while rest.count >= header {
            let words = stride(from: rest.startIndex, to: rest.startIndex + header, by: 4).map { start in
                unsafe rest[start..<(start + 4)].withUnsafeBytes { unsafe $0.loadUnaligned(as: UInt32.self) }
            }
            rest = rest.dropFirst(header)
            let name = rest.prefix(Int(words[3]))
            events.append(
                InotifyEvent(
                    watch: Int32(bitPattern: words[0]), mask: Mask(rawValue: words[1]),
                    name: Array(name.prefix { $0 != 0 })))
            rest = rest.dropFirst(name.count)
        }
        return events
    }
}
