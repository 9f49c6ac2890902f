internal import CLinux
internal import Glibc

/// What this process is and who runs it.
public enum Process {
    /// The process id.
    public static var pid: Int32 { getpid() }
    /// The effective user id, as it is when this is first asked: no program here changes it.
    public static let effectiveUser: UInt32 = geteuid()

    /// Gives the memory that the program has freed back to the system; see malloc_trim(3). Milliseconds: for when nothing else is to do.
    public static func returnFreeMemory() { _ = malloc_trim(0) }

    /// The name of this host; see gethostname(2).
    public static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        let size = name.count - 1
        let result = unsafe gethostname(&name, size)
        guard result == 0, name[0] != 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The name of a user; nil where the user database knows none. See getpwuid_r(3).
    public static func userName(of user: UInt32) -> String? {
        var room = 4096
        while room <= 1 << 20 {
            var buffer = [CChar](repeating: 0, count: room)
            var record = unsafe passwd()
            var found: UnsafeMutablePointer<passwd>?
            let failed = unsafe getpwuid_r(user, &record, &buffer, room, &found)
            if failed == 0 {
                guard unsafe found != nil, let name = unsafe record.pw_name else { return nil }
                return unsafe String(cString: name)
            }
            if failed != ERANGE && failed != EINTR { return nil }
            if failed == ERANGE { room *= 4 }
        }
        return nil
    }

    /// The number of the user with that name; nil where the user database knows none. See getpwnam_r(3).
    public static func user(named name: String) -> UInt32? {
        var room = 4096
        while room <= 1 << 20 {
            var buffer = [CChar](repeating: 0, count: room)
            var record = unsafe passwd()
            var found: UnsafeMutablePointer<passwd>?
            let failed = unsafe getpwnam_r(name, &record, &buffer, room, &found)
            if failed == 0 { return unsafe found == nil ? nil : record.pw_uid }
            if failed != ERANGE && failed != EINTR { return nil }
            if failed == ERANGE { room *= 4 }
        }
        return nil
    }

    /// The user that logged in and of whose session this process is a part, whoever it runs as since (`sudo`, `su`); nil for none, as in a
    /// service. The kernel keeps it; see pam_loginuid(8).
    public static var loginUser: UInt32? {
        guard let bytes = try? WholeFile.read("/proc/self/loginuid", limit: 64) else { return nil }
        return loginUser(text: String(decoding: bytes, as: UTF8.self))
    }

    /// The user id that the kernel writes; all bits set means that nobody logged in.
    static func loginUser(text: String) -> UInt32? {
        guard let user = UInt32(text.prefix { $0 != "\n" }), user != .max else { return nil }
        return user
    }

    /// The terminal that standard input is; nil for none. See ttyname_r(3).
    public static var terminalName: String? {
        var name = [CChar](repeating: 0, count: 256)
        guard unsafe ttyname_r(0, &name, name.count - 1) == 0 else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The invocation id that the service manager gave this run of the unit: 32 hexadecimal digits; nil outside a service.
    public static var invocationID: String? {
        guard let text = environment("INVOCATION_ID") else { return nil }
        return text.utf8.count == 32 && text.allSatisfy(\.isHexDigit) ? text.lowercased() : nil
    }

    /// The value of an environment variable; nil where it is unset. See getenv(3).
    public static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// Whether a descriptor is a terminal.
    public static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// The width of a terminal in columns; nil where `descriptor` is none or does not know.
    public static func terminalWidth(_ descriptor: Int32) -> Int? {
        var size = winsize()
        guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Writes all of `bytes`. A reader that has gone away is the error EPIPE (SIGPIPE must be ignored for that, see `ignoreBrokenPipes`).
    public static func write(_ bytes: [UInt8], to descriptor: Int32) throws(SystemFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = retrying {
                unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                // Somebody else made the terminal or pipe non-blocking.
                var entry = [pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)]
                try PollLoop.wait(&entry, until: nil)
            } else {
                throw .last("write")
            }
        }
    }

    /// Turns a write to a reader that has gone away into the error EPIPE in place of a signal that kills.
    public static func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }
}

extension Process {
    /// The name of the systemd unit that this process belongs to, from its control group; nil outside of one. See cgroups(7).
    public static var unitName: String? {
        guard let file = try? Descriptor(opening: "/proc/self/cgroup", O_RDONLY),
            let bytes = try? WholeFile.read(file, limit: 65536, expected: 4096, path: "/proc/self/cgroup")
        else { return nil }
        let components = String(decoding: bytes, as: UTF8.self).split(whereSeparator: { $0 == "/" || $0 == "\n" })
        return components.last { $0.hasSuffix(".service") }.map(String.init)
    }
}
