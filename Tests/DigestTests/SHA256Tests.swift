import Digest
import Testing

@Suite struct `SHA-256` {
    @Test func `gives the digests of FIPS 180-4's examples`() {
        #expect(SHA256.hex(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(SHA256.hex([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func `hexadecimal goes there and back`() {
        #expect(Hex.bytes("00ffAb") == [0, 255, 171])
        #expect(Hex.bytes("0") == nil)
        #expect(Hex.bytes("zz") == nil)
        #expect(Hex.text([0, 255, 171]) == "00ffab")
    }
}
