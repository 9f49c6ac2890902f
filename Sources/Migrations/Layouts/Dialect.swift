internal import Reporting

/// For whom a numbered file is written, as its text tells: goose, dbmate, sqlx and we ourselves name files alike.
enum Dialect: Sendable {
    case plain, goose, dbmate, sqlx

    /// Reads what the text says of itself.
    init(_ text: [UInt8]) {
        if text.starts(with: Dialect.sqlxMark) {
            self = .sqlx
            return
        }
        self = .plain
        for line in TextLines(text) {
            if GooseAnnotation(line, in: text) != nil {
                self = .goose
                return
            }
            if DbmateHeading(line, in: text) != nil {
                self = .dbmate
                return
            }
        }
    }

    /// The first words of a file that sqlx runs outside of a transaction.
    static let sqlxMark = Array("-- no-transaction".utf8)

    /// What a layout's name is where the files themselves ask for it.
    var layout: LayoutName? {
        switch self {
        case .plain: nil
        case .goose: .goose
        case .dbmate: .dbmate
        case .sqlx: .sqlx
        }
    }

    /// What the first readable files that are named by number are written for.
    ///
    /// A few are enough: a later file that is written for another tool is refused when it is read (`Notation.plain`).
    static func found(
        in directory: Directory, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Dialect {
        let numbered = directory.files.filter { item in
            item.name.first.map { $0.isASCII && $0.isNumber } == true && item.name.hasSuffix(".sql")
                && !item.name.hasSuffix(".up.sql") && !item.name.hasSuffix(".down.sql") && item.obstacle == nil
        }
        for item in numbered.prefix(3) {
            do throws(Complaint) {
                let dialect = Dialect(try contents(item.path))
                if dialect != .plain { return dialect }
            } catch {
                // What is wrong with the file is told when it is read as a migration.
                if error.status == .tryLater { throw error }
            }
        }
        return .plain
    }
}
