internal import Glibc

/// A count that one thread raises and another waits for; see sem_overview(7).
@safe
final class Counter: @unchecked Sendable {
    // Guarded by the kernel: a semaphore is made for use from several threads, and its address never changes.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init(_ value: Int) { unsafe sem_init(semaphore, 0, UInt32(clamping: value)) }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    /// Adds one.
    func raise() { unsafe sem_post(semaphore) }

    /// Takes one, when there is one.
    func wait() {
        while unsafe sem_wait(semaphore) != 0 {}
    }
}
