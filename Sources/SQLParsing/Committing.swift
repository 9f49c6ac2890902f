internal import SQLLexing

/// Finds out whether the body of a procedure or of DO ends transactions: such a statement runs outside of any (PostgreSQL manual 43.8
/// "Transaction Management").
///
/// It reads words, no grammar: COMMIT or ROLLBACK where a statement of PL/pgSQL begins, CALL of a procedure that is known to do so, and the
/// functions of PL/Python and PL/Perl. What is put together at run time is not seen.
struct Committing {
    /// Names of procedures that end transactions.
    let procedures: Set<String>

    /// Whether a body in that language ends a transaction.
    func isFound(in body: [UInt8], language: String) -> Bool {
        switch language.lowercased() {
        case "plpgsql": isFound(inPLpgSQL: body)
        case "plpython3u", "plpython2u", "plpythonu":
            body.contains("plpy.commit(".utf8) || body.contains("plpy.rollback(".utf8)
        case "plperl", "plperlu": body.contains("spi_commit".utf8) || body.contains("spi_rollback".utf8)
        default: false
        }
    }

    private func isFound(inPLpgSQL body: [UInt8]) -> Bool {
        var lexer = Lexer(body)
        var startsStatement = true
        var word: String?
        while let lexeme = lexer.next() {
            let next = lexeme.kind == .word ? lexer.word(lexeme) : nil
            switch word {
            // A variable or a column of that name is followed by something else.
            case "commit", "rollback": if lexeme.kind == .semicolon || next == "and" { return true }
            case "call": if calls(lexeme, &lexer, body) { return true }
            default: break
            }
            word = startsStatement ? next : nil
            // Behind a label's `>>`, too.
            startsStatement =
                lexeme.kind == .semicolon
                || next.map(Committing.openers.contains) ?? (body[lexeme.range] == [UInt8(ascii: ">")])
        }
        return false
    }

    private static let openers: Set<String> = ["begin", "then", "else", "loop", "exception"]

    /// Whether the dotted name that begins with `lexeme` is one of the procedures.
    private func calls(_ lexeme: Lexeme, _ lexer: inout Lexer, _ body: [UInt8]) -> Bool {
        var name: String?
        var part: Lexeme? = lexeme
        while let found = part, found.kind != .open, found.kind != .semicolon {
            switch found.kind {
            case .word: name = lexer.word(found)
            case .quotedName: name = Lexer.content(of: found, in: body).map { String(decoding: $0, as: UTF8.self) }
            default: break
            }
            part = lexer.next()
        }
        return name.map(procedures.contains) ?? false
    }
}

extension Classifier {
    /// The procedure that a statement creates, where its body ends transactions.
    func committingProcedure(_ node: String, _ fields: Int) -> String? {
        let root = TreeNode(tape: tape, index: fields)
        guard node == "CreateFunctionStmt", root.flag("is_procedure"), let name = root.strings("funcname").last,
            let body = body(root, "options")
        else { return nil }
        return committing.isFound(in: body.text, language: body.language) ? name : nil
    }

    /// Whether a DO or CALL ends transactions, as far as it can be read.
    func endsTransactions(_ node: String, _ fields: Int) -> Bool {
        let root = TreeNode(tape: tape, index: fields)
        switch node {
        case "CallStmt":
            return root.field("funccall")?.strings("funcname").last.map(committing.procedures.contains) ?? false
        case "DoStmt":
            guard let body = body(root, "args") else { return false }
            return committing.isFound(in: body.text, language: body.language)
        default: return false
        }
    }

    private func body(_ root: TreeNode, _ options: String) -> (text: [UInt8], language: String)? {
        var text: String?
        var language = "plpgsql"
        for option in root.list(options, of: "DefElem") {
            switch option.text("defname") {
            case "language": language = option.node("arg")?.fields.text("sval") ?? language
            case "as":
                guard let argument = option.node("arg") else { continue }
                text = argument.type == "List" ? argument.fields.strings("items").first : argument.fields.text("sval")
            default: break
            }
        }
        return text.map { (Array($0.utf8), language) }
    }
}

extension [UInt8] {
    fileprivate func contains(_ word: String.UTF8View) -> Bool {
        let word = Array(word)
        return indices.contains { $0 + word.count <= count && self[$0..<$0 + word.count].elementsEqual(word) }
    }
}
