/// What a monitoring system is told of one database, in Prometheus's text format; see "Text-based format" in its documentation.
public struct MetricsText {
    /// What was said so far.
    public private(set) var text = ""
    private let database: String

    /// Begins with nothing; `database` is the value of the label that every sample has.
    public init(database: String) { self.database = database }

    /// Says what the samples that follow are.
    public mutating func metric(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    /// One value, with a further label where one is given.
    public mutating func sample(_ name: String, _ label: (name: String, value: String)? = nil, _ value: String) {
        let further = label.map { ",\($0.name)=\"\(MetricsText.escaped($0.value))\"" } ?? ""
        text += "\(name){database=\"\(MetricsText.escaped(database))\"\(further)} \(value)\n"
    }

    /// A label's value may hold anything but these three bytes as they are.
    private static func escaped(_ value: String) -> String {
        let bytes = value.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "\\"), UInt8(ascii: "\""): [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            default: [byte]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
