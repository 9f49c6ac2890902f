import Digest
import Testing

@Suite struct `Other sums` {
    @Test func `SHA-384 gives the digest of FIPS 180-4's example`() {
        #expect(
            SHA384.hex(Array("abc".utf8))
                == "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7")
    }

    @Test func `CRC-32 gives the check value of its catalogue, in one piece or several`() {
        #expect(CRC32.of("123456789".utf8) == 0xCBF4_3926)
        #expect(CRC32.of([]) == 0)
        var sum = CRC32()
        sum.add("1234".utf8)
        sum.add("56789".utf8)
        #expect(sum.value == 0xCBF4_3926)
    }
}
