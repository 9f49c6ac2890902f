internal import Reporting

/// Text on its way into a page.
enum HTML {
    /// `text` as content of an element or a quoted attribute: control and direction characters visible, markup escaped.
    static func text(_ text: String) -> String {
        var result = ""
        for scalar in Printable.line(text).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The same, with places where a line may be broken before it is broken anywhere.
    static func breakable(_ text: String) -> String {
        var result = ""
        for scalar in self.text(text).unicodeScalars {
            result.unicodeScalars.append(scalar)
            if scalar == "_" || scalar == "." || scalar == "/" { result += "<wbr>" }
        }
        return result
    }

    /// The bytes in base 64 (RFC 4648), as a Content-Security-Policy wants a hash.
    static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var number: UInt32 = 0
            for byte in group { number = number << 8 | UInt32(byte) }
            number <<= UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                text.append(
                    place <= group.count ? digits[Int(number >> UInt32(18 - 6 * place)) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
