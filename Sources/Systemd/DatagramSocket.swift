internal import Glibc

/// A datagram socket connected to a path of the AF_UNIX family; see unix(7). Never blocks, never inherited.
///
/// Connected, because poll(2) can tell only of a connected one whether its peer takes more.
final class DatagramSocket {
    private let socket: Descriptor

    /// Connects to `path`; a leading `@` names the abstract namespace.
    init(to path: String) throws(SystemFailure) {
        var name = Array(path.utf8)
        if name.first == UInt8(ascii: "@") { name[0] = 0 }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard !name.isEmpty, name.count < room, name[0] == 0 || name[0] == UInt8(ascii: "/") else {
            throw SystemFailure("connect to", path: path, errno: EINVAL)
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size - room + name.count + (name[0] == 0 ? 0 : 1))

        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let number = Glibc.socket(AF_UNIX, kind, 0)
        if number < 0 { throw .last("open a socket to", path: path) }
        socket = Descriptor(owning: number)
        // What systemd's own clients ask for; the kernel grants at most net.core.wmem_max.
        var size: Int32 = 8 << 20
        unsafe setsockopt(number, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        let result = retrying {
            unsafe withUnsafePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(number, $0, length) }
            }
        }
        if result != 0 { throw .last("connect to", path: path) }
    }

    var descriptor: Int32 { socket.number }

    /// Sends one datagram; the error number where it was not taken, 0 where it was.
    func send(_ bytes: [UInt8]) -> Int32 {
        let sent = retrying { unsafe Glibc.send(socket.number, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
        return sent < 0 ? errno : 0
    }

    /// Waits until the peer takes more, at most until `end`; false where the time ran out first.
    func awaitRoom(until end: Instant) -> Bool {
        var descriptors = [pollfd(fd: socket.number, events: Int16(POLLOUT), revents: 0)]
        do { try PollLoop.wait(&descriptors, until: end) } catch { return false }
        return descriptors[0].revents != 0
    }
}
