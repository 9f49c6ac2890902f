import Testing

@testable import Configuration

@Suite struct `The name that was meant` {
    @Test(arguments: [
        ("lock_timout", "lock-timeout"), ("Schema", "schema"), ("setle", "settle"), ("dierctory", "directory"),
        ("retry-wait-maximum", "retry-wait-max"), ("sizelimit", "size-limit"),
    ])
    func `a near miss is recognised`(written: String, meant: String) {
        #expect(NearestName.of(written, in: SettingKey.all.map(\.name)) == meant)
    }

    @Test(arguments: ["", "colour", "x", "zzzzzzzzzzzz", String(repeating: "a", count: 100_000)])
    func `what is far from all is not guessed`(written: String) {
        #expect(NearestName.of(written, in: SettingKey.all.map(\.name)) == nil)
    }

    @Test func `a swap of neighbours counts once`() {
        #expect(NearestName.distance(Array("ab"), Array("ba")) == 1)
        #expect(NearestName.distance(Array("kitten"), Array("sitting")) == 3)
        #expect(NearestName.distance([], Array("abc")) == 3)
    }
}
