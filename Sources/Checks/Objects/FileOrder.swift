/// Which files have to come before which, by what they use of each other.
struct FileOrder {
    /// The circle that each file belongs to; files of different circles can be put in order.
    private let circle: [Int]

    /// Tarjan's strongly connected components, from a list of its own instead of by recursion.
    init(count: Int, needs: [Int: Set<Int>]) {
        var circle = [Int](repeating: -1, count: count)
        var index = [Int](repeating: -1, count: count)
        var low = [Int](repeating: 0, count: count)
        var onStack = [Bool](repeating: false, count: count)
        var stack: [Int] = []
        var next = 0
        for root in 0..<count where index[root] < 0 {
            var work: [(file: Int, rest: [Int])] = [(root, needs[root].map(Array.init) ?? [])]
            index[root] = next
            low[root] = next
            next += 1
            stack.append(root)
            onStack[root] = true
            while let top = work.indices.last {
                let file = work[top].file
                if let other = work[top].rest.popLast() {
                    if index[other] < 0 {
                        index[other] = next
                        low[other] = next
                        next += 1
                        stack.append(other)
                        onStack[other] = true
                        work.append((other, needs[other].map(Array.init) ?? []))
                    } else if onStack[other] {
                        low[file] = min(low[file], index[other])
                    }
                    continue
                }
                work.removeLast()
                if let parent = work.last?.file { low[parent] = min(low[parent], low[file]) }
                guard low[file] == index[file] else { continue }
                while let member = stack.popLast() {
                    onStack[member] = false
                    circle[member] = file
                    if member == file { break }
                }
            }
        }
        self.circle = circle
    }

    /// Whether the two can be put in an order in which each finds what it uses.
    func canOrder(_ one: Int, _ other: Int) -> Bool { circle[one] != circle[other] }
}
