internal import CPQ
internal import Glibc
internal import Synchronization

/// Opens a session in a thread of its own: looking up a host's name blocks, for half a minute where the resolver is gone, and must not
/// keep the loop from feeding its watchdog; and other work can be done before the session is needed.
///
/// Whoever waits is woken through a pipe. If nobody waits any more when the session stands, it is closed again.
public final class BackgroundConnecting: Sendable {
    private enum State {
        case connecting
        case done(Handle)
        case abandoned
    }
    /// A session on its way from one thread to another; only one of them has it at a time, by the mutex around the state.
    @safe struct Handle: @unchecked Sendable { let pointer: OpaquePointer }

    private let state = Mutex(State.connecting)
    private let reading: Int32
    private let writing: Int32

    /// Starts to connect; nil where there are no descriptors or threads left.
    public init?(_ target: ConnectionTarget) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reading = ends[0]
        writing = ends[1]
        let started = BackgroundThread.start {
            let handle = unsafe Connection.start(target)
            let patient = BlockingWaiter(limit: 60_000)
            // What has failed at once has no socket to wait for.
            var interest: SocketInterest? = unsafe PQstatus(handle) == CONNECTION_BAD ? nil : .write
            while let next = interest, unsafe patient.wait(for: PQsocket(handle), next) {
                interest = unsafe Connection.nextInterest(handle)
            }
            self.finish(unsafe Handle(pointer: handle))
        }
        guard started else { return nil }
    }

    deinit {
        close(reading)
        close(writing)
        state.withLock { state in
            if case .done(let handle) = state { unsafe PQfinish(handle.pointer) }
        }
    }

    /// Readable once there is a result.
    var descriptor: Int32 { reading }

    /// The session, connected or with its error; nil where it is not there yet. Its owner closes it.
    func take() -> Handle? {
        state.withLock { state in
            guard case .done(let handle) = state else { return nil }
            state = .abandoned
            return handle
        }
    }

    private func finish(_ handle: Handle) {
        state.withLock { state in
            if case .connecting = state { state = .done(handle) } else { unsafe PQfinish(handle.pointer) }
        }
        var byte: UInt8 = 1
        _ = unsafe write(writing, &byte, 1)
    }
}
