internal import Synchronization

/// Values made in a thread of their own, in order, some of them ahead of whoever takes them: a second core parses while the first one
/// works on what is parsed.
///
/// The thread's stack is as deep as parsing needs. It ends with the last value, or soon after this object; where it cannot be started,
/// values are made when they are taken. Not for use from two threads.
public final class Ahead<Value: Sendable> {
    private let shared: Shared<Value>
    private let isThreaded: Bool

    /// Begins to make the values 0 to `count` - 1, at most `lead` of them ahead.
    public init(count: Int, lead: Int = 64, _ make: @escaping @Sendable (Int) -> Value) {
        let shared = Shared(count: count, lead: lead, make)
        self.shared = shared
        isThreaded = count > 1 && DeepThread.start { shared.makeAll() }
    }

    deinit { shared.abandon() }

    /// The next value; nil behind the last.
    public func next() -> Value? { isThreaded ? shared.take() : shared.makeNext() }
}

/// What the thread and the taker share; each value is written by the one before it is read by the other, by the mutex around them.
private final class Shared<Value: Sendable>: Sendable {
    private struct State {
        var values: [Value] = []
        var taken = 0
        var made = 0
        var isAbandoned = false
    }

    private let count: Int
    private let make: @Sendable (Int) -> Value
    private let state = Mutex(State())
    /// Counts values that are made and not taken.
    private let filled = Counter(0)
    /// Counts values that may still be made ahead.
    private let room: Counter

    init(count: Int, lead: Int, _ make: @escaping @Sendable (Int) -> Value) {
        self.count = count
        self.make = make
        room = Counter(max(1, lead))
    }

    func makeAll() {
        for index in 0..<count {
            room.wait()
            if state.withLock({ $0.isAbandoned }) { return }
            let value = make(index)
            state.withLock { $0.values.append(value) }
            filled.raise()
        }
    }

    func take() -> Value? {
        guard state.withLock({ $0.taken < count }) else { return nil }
        filled.wait()
        let value = state.withLock { state in
            state.taken += 1
            return state.values.removeFirst()
        }
        room.raise()
        return value
    }

    func makeNext() -> Value? {
        let index = state.withLock { state in
            defer { state.made += 1 }
            return state.made
        }
        return index < count ? make(index) : nil
    }

    func abandon() {
        state.withLock { $0.isAbandoned = true }
        room.raise()
    }
}
