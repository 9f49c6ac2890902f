import Synchronization
import Testing

@testable import SQLParsing

@Suite struct AheadTests {
    @Test func `every value is taken, in order, however far ahead it may be made`() {
        for lead in [1, 3, 1000] {
            let ahead = Ahead(count: 100, lead: lead) { $0 * $0 }
            var taken: [Int] = []
            while let value = ahead.next() { taken.append(value) }
            #expect(taken == (0..<100).map { $0 * $0 })
            #expect(ahead.next() == nil)
        }
    }

    @Test func `there is nothing to take of nothing, and one value needs no thread`() {
        #expect(Ahead(count: 0) { $0 }.next() == nil)
        let one = Ahead(count: 1) { _ in "one" }
        #expect(one.next() == "one")
        #expect(one.next() == nil)
    }

    @Test func `no more is made ahead than was allowed`() {
        final class Made: Sendable { let count = Mutex(0) }
        let made = Made()
        let ahead = Ahead(count: 50, lead: 4) { index in
            made.count.withLock { $0 += 1 }
            return index
        }
        for index in 0..<50 {
            #expect(ahead.next() == index)
            #expect(made.count.withLock { $0 } <= index + 1 + 4)
        }
    }

    @Test func `a text that is deeper than a common stack is parsed there`() throws {
        let text = Array(("SELECT " + String(repeating: "1+", count: 100_000) + "1;").utf8)
        let ahead = Ahead(count: 2) { _ in try? Script(text, file: "deep.sql").statements.count }
        #expect(ahead.next() == .some(1))
        #expect(ahead.next() == .some(1))
    }
}
