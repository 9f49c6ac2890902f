internal import Glibc

/// A thread that calls fdatasync(2), so that the disk's work overlaps with ours: one call at a time, asked for and answered through pipes.
///
/// A thread and no task: a task that waits for the disk would keep one of the few threads of the pool from all others.
final class SyncThread {
    private let requests: Int32
    private let answers: Int32

    /// Starts the thread; nil where there are no descriptors or threads left.
    init?() {
        var down: [Int32] = [-1, -1]
        var up: [Int32] = [-1, -1]
        guard SyncThread.pipe(&down) else { return nil }
        guard SyncThread.pipe(&up) else {
            down.forEach { close($0) }
            return nil
        }
        (requests, answers) = (down[1], up[0])
        let ends = UnsafeMutablePointer<Int32>.allocate(capacity: 2)
        unsafe ends[0] = down[0]
        unsafe ends[1] = up[1]
        var thread = pthread_t()
        let started = unsafe pthread_create(
            &thread, nil,
            { ends in
                if let ends = unsafe ends?.assumingMemoryBound(to: Int32.self) {
                    unsafe SyncThread.serve(ends[0], ends[1])
                    unsafe ends.deallocate()
                }
                return nil
            }, ends)
        guard started == 0 else {
            unsafe ends.deallocate()
            (down + up).forEach { close($0) }
            return nil
        }
        _ = pthread_detach(thread)
    }

    deinit {
        // The thread ends with its requests.
        close(requests)
        close(answers)
    }

    /// Asks for the file's data to be put on disk; false where the thread cannot be asked.
    func begin(_ file: Descriptor) -> Bool {
        var number = file.number
        return retrying { unsafe write(requests, &number, MemoryLayout<Int32>.size) } == MemoryLayout<Int32>.size
    }

    /// Waits for the answer: the call's error number, 0 for none.
    func wait() -> Int32 {
        var failed: Int32 = 0
        let count = retrying { unsafe read(answers, &failed, MemoryLayout<Int32>.size) }
        return count == MemoryLayout<Int32>.size ? failed : EIO
    }

    private static func pipe(_ ends: inout [Int32]) -> Bool {
        guard unsafe Glibc.pipe(&ends) == 0 else { return false }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return true
    }

    private static func serve(_ requests: Int32, _ answers: Int32) {
        var number: Int32 = -1
        while retrying({ unsafe read(requests, &number, MemoryLayout<Int32>.size) }) == MemoryLayout<Int32>.size {
            var failed = retrying { fdatasync(number) } == 0 ? 0 : errno
            _ = retrying { unsafe write(answers, &failed, MemoryLayout<Int32>.size) }
        }
        close(requests)
        close(answers)
    }
}
