internal import Glibc

/// Runs what blocks beside the one thread of the loop, in a thread of its own that ends with it; see pthread_create(3).
///
/// Not a task: the pool that runs those sets the priority of its threads, which the service's sandbox forbids, and says so in the
/// journal each time.
enum BackgroundThread {
    /// Starts `body`; false where the system has no thread left, and then nothing was run.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        guard unsafe pthread_attr_init(&attributes) == 0 else { return false }
        defer { unsafe pthread_attr_destroy(&attributes) }
        guard unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED)) == 0 else { return false }
        let work = unsafe Unmanaged.passRetained(Work(body))
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument = unsafe argument else { preconditionFailure("the thread is started with its work") }
                unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        if status != 0 { unsafe work.release() }
        return status == 0
    }

    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
