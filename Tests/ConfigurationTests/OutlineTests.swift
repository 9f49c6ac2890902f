import Testing

@testable import Configuration

@Suite struct `Where keys stand` {
    @Test func `keys, headers and values are found`() {
        let text = #"""
            a = 1 # b = 2
            "q\u0041\n" . 'l' = '''
            c = 3
            ''''
            d = [ "[x]", # ]
              "e = 4" ]
            [ t . u ]
            f = { g = 1 }
            [[r]]
            h = 1
            [[r]]
            [r.s]
            h = """\""" i = 5 """
            j=1
            """#
        let outline = Outline(Array(text.utf8))
        #expect(
            outline.items.map { $0.path.joined(separator: "/") } == [
                "a", "qA\n/l", "d", "t/u", "t/u/f", "r", "r/h", "r", "r/s", "r/s/h", "r/s/j",
            ])
        #expect(
            outline.items.map(\.mayRepeat) == [false, false, false, false, false, true, true, true, true, true, true])
        for item in outline.items { #expect(text.utf8.dropFirst(item.offset).first != UInt8(ascii: " ")) }
        #expect(outline.item(of: ["t", "u", "f", "g"])?.path == ["t", "u", "f"])
        #expect(outline.item(of: ["t"])?.path == ["t", "u"])
        #expect(outline.item(of: ["zzz"]) == nil)
        #expect(outline.tooDeep == nil && outline.escapedNUL == nil && outline.namelessHeader == nil)
    }

    @Test(arguments: ["[=]", "[\n", "[ #", "[[.a]]", "[é]", "a = 1\n[.]", "[ [a]]"])
    func `a header without a readable name is noticed`(text: String) {
        #expect(Outline(Array(text.utf8)).namelessHeader != nil)
    }

    @Test(arguments: ["[]", "[[]]", "[a", "[", "['x']", "a = [=]", "# [=]", "a = '''\n[=]\n'''"])
    func `other brackets are left to the parser`(text: String) {
        #expect(Outline(Array(text.utf8)).namelessHeader == nil)
    }

    @Test func `names in names are counted everywhere`() {
        let deep = Array(repeating: "a", count: 17).joined(separator: ".")
        for text in ["\(deep) = 1", "[\(deep)]", "x = { \(deep) = 1 }", "x = [{ a = 1, \(deep) = 1 }]"] {
            #expect(Outline(Array(text.utf8)).tooDeep != nil, "\(text)")
        }
        let numbers = Array(repeating: "1.5", count: 100).joined(separator: ", ")
        #expect(Outline(Array("x = [\(numbers)]\ny = \"\(deep)\"".utf8)).tooDeep == nil)
    }
}
