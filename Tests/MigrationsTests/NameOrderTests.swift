import Testing

@testable import Migrations

@Suite struct NameOrderTests {
    /// Sorted by Node 20.20 with ICU 78.2 in the locale en-US.
    static let sorted = [
        "_", "_-", "_B_", "-", ",", ",_A@", "(", "(@=", "(=-", ")", ")9", ")bb", "@", "@=", "+", "+((", "+0", "=",
        "=_z-", "=(", "=~@", "=0za", "~", "~.", "0", "01", "1", "10", "2", "20250507030812_init",
        "20250513_add_batch_processing", "20250513_add_error_handling",
        "20250513022650_add_project_and_schema_models", "9b", "9Z09", "a", "A", "a_b", "A_b", "a-b", "a)ab", "A~",
        "ab", "aB", "Ab", "AB", "Abz0", "B", "b_", "B,", "B. (", "B.)", "b.BA", "B+a", "B~", "Z ~_", "Z+", "Z=",
        "z0_a", "ZB@",
    ]

    @Test func `names are put in the order of localeCompare`() {
        #expect(NameOrderTests.sorted.reversed().sorted(by: NameOrder.current) == NameOrderTests.sorted)
    }

    @Test func `a name is never before itself and no two names are before each other`() {
        for left in NameOrderTests.sorted {
            for right in NameOrderTests.sorted {
                let forward = NameOrder.current(left, right)
                let backward = NameOrder.current(right, left)
                #expect((forward != backward) == (left != right))
            }
        }
    }

    @Test func `the order is exact where ASCII decides`() {
        #expect(NameOrder.isExact("20250101_größe", "20250102_größe"))
        #expect(NameOrder.isExact("a", "A"))
        #expect(NameOrder.isExact("größe", "größer"))
        #expect(!NameOrder.isExact("über", "unter"))
        #expect(!NameOrder.isExact("caf", "café".unicodeScalars.count == 4 ? "cafés" : "cafe"))
    }

    @Test func `bytes put upper case and the underscore between digits and lower case`() {
        #expect(["a", "_", "B", "1"].sorted(by: NameOrder.bytes) == ["1", "B", "_", "a"])
    }
}
