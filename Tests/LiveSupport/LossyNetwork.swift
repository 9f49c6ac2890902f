import Glibc

/// A network of its own for one test: a client, a server and a router between them, which can be told to lose what it is given.
///
/// Each of the three is a network namespace (network_namespaces(7)) that lives as long as a process of ours in it: nothing of it is left when
/// the test ends, however it ends. Needs root and iproute2.
public final class LossyNetwork: Sendable {
    /// Where the server is reached.
    public let address = "10.93.2.1"
    private let client: Program
    private let server: Program
    private let router: Program

    /// Whether there can be such a network here, found by making one.
    public static let isPossible = (try? LossyNetwork()) != nil

    /// Makes the network; the router passes everything on.
    public init() throws {
        let all = try (0..<3).map { _ in
            try Program("/bin/sleep", ["infinity"], launcher: ["/usr/bin/unshare", "--net"])
        }
        (client, server, router) = (all[0], all[1], all[2])
        let own = readText("/proc/self/ns/net")
        for program in all {
            try eventually("network of \(program.process)") {
                program.isRunning && readText("/proc/\(program.process)/ns/net") != own
            }
        }
        for (end, network, far) in [(client, 1, "to1"), (server, 2, "to2")] {
            try ip(
                end, "link", "add", "name", "here", "type", "veth", "peer", "name", far, "netns", "\(router.process)")
            for (program, name, host) in [(end, "here", 1), (router, far, 2)] {
                try ip(program, "address", "add", "10.93.\(network).\(host)/24", "dev", name)
                try ip(program, "link", "set", "dev", name, "up")
            }
            try ip(end, "route", "add", "default", "via", "10.93.\(network).2")
        }
        try run(router, ["/sbin/sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
    }

    /// What starts a program at the client's, or the server's, end.
    public var atClient: [String] { Self.launcher(client) }
    /// What starts a program at the server's end.
    public var atServer: [String] { Self.launcher(server) }

    /// From now on everything is lost on its way, and nobody is told.
    public func loseAll() throws {
        for host in ["10.93.1.1", "10.93.2.1"] { try ip(router, "route", "add", "blackhole", host) }
    }

    /// From now on everything arrives again.
    public func deliver() throws {
        for host in ["10.93.1.1", "10.93.2.1"] { try ip(router, "route", "delete", "blackhole", host) }
    }

    private static func launcher(_ program: Program) -> [String] {
        ["/usr/bin/nsenter", "--net=/proc/\(program.process)/ns/net", "--"]
    }

    private func ip(_ program: Program, _ words: String...) throws { try run(program, ["/sbin/ip"] + words) }

    private func run(_ program: Program, _ words: [String]) throws {
        let outcome = try Program.run(words[0], Array(words.dropFirst()), launcher: Self.launcher(program))
        guard outcome.status == 0 else { throw LiveFailure("\(words.joined(separator: " ")): \(outcome)") }
    }

    /// What a symbolic link says.
    private func readText(_ link: String) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = readlink(link, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
