import Audit
import Digest
import Testing

@Suite struct `An anchor` {
    private func head(_ seq: Int64) -> ChainHead { ChainHead(seq: seq, hash: SHA256.hash(Array("\(seq)".utf8))) }

    @Test func `is the same after it was a line`() {
        let key = SigningKey()
        for anchor in [
            Anchor(head(1)), Anchor(head(2), timeline: 3), Anchor(head(.max), timeline: .max, isLate: true),
            Anchor(head(7), isLate: true, signature: AnchorSignature(of: head(7), database: "1-2", by: key)),
            Anchor(head(8), timeline: 1, isForeign: true),
        ] {
            #expect(Anchor(line: anchor.line) == anchor, "\(anchor.line)")
        }
        // What an older version wrote, and what a newer one may.
        let old = "5 " + Hex.text(head(5).hash)
        #expect(Anchor(line: old) == Anchor(head(5)))
        #expect(Anchor(line: old + " later=word late") == Anchor(head(5), isLate: true))
        for line in [
            "", "5", "x " + Hex.text(head(5).hash), "5 abcd", "epoch 2 event=5", AnchorLog.announcing(head(5)),
        ] {
            #expect(Anchor(line: line) == nil, "\(line)")
        }
    }

    @Test func `is signed over its database, its place and its hash`() {
        let key = SigningKey()
        let signature = AnchorSignature(of: head(7), database: "7411-5", by: key)
        #expect(
            String(decoding: AnchorSignature.message(head(7), database: "7411-5"), as: UTF8.self)
                == "migrated-anchor-v1\n7411-5\n7\n\(Hex.text(head(7).hash))\n")
        #expect(signature.key == key.publicKey.id)
        #expect(signature.holds(for: head(7), database: "7411-5", by: key.publicKey))
        #expect(!signature.holds(for: head(7), database: "7411-6", by: key.publicKey))
        #expect(!signature.holds(for: head(8), database: "7411-5", by: key.publicKey))
        #expect(!signature.holds(for: ChainHead(seq: 7, hash: head(8).hash), database: "7411-5", by: key.publicKey))
        #expect(!signature.holds(for: head(7), database: "7411-5", by: SigningKey().publicKey))
    }

    @Test func `stands in a file of its history's own`() {
        #expect(AnchorLog.fileName(schema: "migrated") == "anchors")
        #expect(AnchorLog.fileName(schema: "migrated", epoch: 1) == "anchors.epoch1")
        #expect(AnchorLog.fileName(schema: "Audit/../x") == "anchors-%41udit%2f%2e%2e%2fx")
    }

    @Test func `counts from the epoch that its file begins`() {
        let lines = [
            AnchorLog.heading(epoch: 2, event: 81, lost: head(100)), Anchor(head(80)).line, Anchor(head(81)).line,
        ]
        let log = AnchorLog(lines: lines)
        #expect(log.epoch == 2 && log.acknowledgedBy == 81 && log.newest == Anchor(head(81)))
        #expect(AnchorLog(lines: []).newest == nil && AnchorLog(lines: []).epoch == 1)
    }

    @Test func `may have been announced, which the file forgets once it is past`() {
        var lines = (1...40).flatMap { seq in [AnchorLog.announcing(head(Int64(seq))), Anchor(head(Int64(seq))).line] }
        lines += [
            AnchorLog.announcing(head(41)), "intended 42", "intended 43 abcd", "intended x " + Hex.text(head(5).hash),
        ]
        let log = AnchorLog(lines: lines)
        #expect(log.intended == (1...41).map { head($0) } && log.newest == Anchor(head(40)))
        let kept = AnchorLog(lines: AnchorLog.thinned(lines, newest: 10))
        #expect(kept.intended == [head(41)] && kept.newest == Anchor(head(40)))
    }

    @Test func `of long ago has fewer neighbours, and the file an end to its growth`() {
        let heading = AnchorLog.heading(epoch: 2, event: 1, lost: head(9))
        var lines = [heading]
        for seq in 1...12_000 {
            lines.append(Anchor(head(Int64(seq))).line)
            if lines.count > 800 { lines = AnchorLog.thinned(lines, newest: 100) }
        }
        let kept = AnchorLog(lines: lines).anchors.map(\.head.seq)
        #expect(lines.first == heading && lines.count <= 800)
        #expect(Array(kept.suffix(100)) == Array(11_901...12_000))
        #expect(kept == kept.sorted() && Set(kept).count == kept.count)
        let gaps = zip(kept, kept.dropFirst()).map { $1 - $0 }
        #expect((gaps.max() ?? 0) <= 64 && kept[0] <= 64)
        #expect(AnchorLog.thinned([heading] + lines.suffix(500), newest: 500) == [heading] + lines.suffix(500))
    }

    @Test func `that is signed outlives those that are not`() {
        let key = SigningKey()
        let lines = (1...200).map { (seq: Int64) -> String in
            let signature = seq.isMultiple(of: 2) ? AnchorSignature(of: head(seq), database: "1-2", by: key) : nil
            return Anchor(head(seq), signature: signature).line
        }
        let kept = AnchorLog(lines: AnchorLog.thinned(lines, newest: 10)).anchors
        #expect(kept.dropLast(10).allSatisfy { $0.signature != nil } && kept.dropLast(10).count == 95)
    }
}
