/// Random bytes, eight of them by each call of the generator: the system's makes a call of the kernel of each.
public enum RandomBytes {
    /// `count` bytes, a multiple of eight.
    public static func next(_ count: Int, using generator: inout some RandomNumberGenerator) -> [UInt8] {
        precondition(count.isMultiple(of: 8), "what is random here comes in words of eight bytes")
        return (0..<count / 8).flatMap { _ in
            let word: UInt64 = generator.next()
            return CanonicalForm.integer(Int64(bitPattern: word))
        }
    }
}
