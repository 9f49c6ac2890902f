extension Script {
    /// The script with `statements` cut out of the transactions they stand in, each a stepwise segment by itself.
    ///
    /// What the file itself wrote BEGIN and COMMIT round stays together.
    public func separating(_ statements: Set<Int>) -> Script {
        var script = self
        script.segments = segments.flatMap { segment -> [Segment] in
            guard segment.kind == .transaction, !segment.ownBlock,
                segment.statements.contains(where: statements.contains)
            else { return [segment] }
            var parts: [Segment] = []
            var start = segment.statements.lowerBound
            func part(_ kind: Segment.Kind, _ range: Range<Int>) {
                guard let last = range.last else { return }
                let bytes = self.statements[range.lowerBound].range.lowerBound..<self.statements[last].range.upperBound
                parts.append(
                    Segment(
                        kind: kind, statements: range, range: bytes, begin: nil, ownBlock: false, concurrentIndex: nil,
                        trace: nil))
            }
            for index in segment.statements where statements.contains(index) {
                part(.transaction, start..<index)
                part(.stepwise, index..<index + 1)
                start = index + 1
            }
            part(.transaction, start..<segment.statements.upperBound)
            return parts
        }
        return script
    }
}
