package import Migrations
package import Reporting
package import SQLParsing

/// The wall between a file that applies a migration and one that undoes it as well, in the notation of a tool that is not known here.
///
/// Where a layout runs whole files, a file with two sections would run both: the tables that it has made are gone, and nothing failed. Two
/// things give such a file away: a comment that is the head of a second section (`SectionHead`), and statements at the end that drop what
/// the ones before them have created (`TailDrops`).
package enum OtherDirection {
    /// Throws `.badFile` with line and column where the text of `file` seems to hold both directions.
    ///
    /// Nothing is refused where the layout's notation tells sections apart, or where the file says `direction=up`.
    package static func refuse(_ script: Script, of file: MigrationFile) throws(Complaint) {
        guard file.runsWhole, !file.directives.wholeFileApplies else { return }
        if let head = secondHead(script) {
            throw complaint(message(head.found), at: head.offset, script, hint: hint(head.found))
        }
        if let drop = TailDrops(script).first {
            let made = Place(file: script.file, offset: drop.createdAt, in: script.text).line ?? 1
            throw complaint(
                "the file drops \(drop.object) at its end, which it has created in line \(made)", at: drop.offset,
                script,
                hint: hint(nil))
        }
    }

    /// The first head that has statements of both directions around it.
    private static func secondHead(_ script: Script) -> (found: SectionHead, offset: Int)? {
        let ranges = script.statementRanges
        guard ranges.count > 1 else { return nil }
        let comments = StandingComments(script.text, between: ranges)
        var beganDown = false
        for (index, gap) in comments.gaps.enumerated() where index < ranges.count {
            for (place, comment) in gap.enumerated() {
                guard let head = SectionHead(comment: comment.text) else { continue }
                // What is below it may be commented out, too.
                let below = gap[(place + 1)...].prefix { $0.followsOn }
                if below.contains(where: { $0.text.contains(";") }) { continue }
                switch head.direction {
                case .down where index > 0: return (head, comment.offset)
                case .up where index > 0 && beganDown: return (head, comment.offset)
                case .down: beganDown = true
                case .up: break
                }
            }
        }
        return nil
    }

    // MARK: Words

    private static func message(_ head: SectionHead) -> String {
        let owner = head.tool.map { "this comment is \($0)'s: it" } ?? "this comment looks as if it"
        return head.direction == .down
            ? "\(owner) begins what undoes the migration, and the whole file would run"
            : "\(owner) begins what applies the migration, and the whole file would run"
    }

    private static func hint(_ head: SectionHead?) -> String {
        let own = "where all of the file applies the migration, write '-- migrated: direction=up' at its head."
        if let tool = head?.tool.flatMap(LayoutName.init) {
            return "Set 'layout = \"\(tool.rawValue)\"', which runs one section; or \(own)"
        }
        return "Move what undoes the migration out of the file; or \(own)"
    }

    private static func complaint(_ message: String, at offset: Int, _ script: Script, hint: String) -> Complaint {
        var complaint = Complaint(.badFile, message, hint: hint)
        complaint.point(at: script.place(at: offset), of: script.text)
        return complaint
    }
}
