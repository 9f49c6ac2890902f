internal import Audit
internal import ForeignKeys
internal import Migrations
internal import Replay
internal import SQLParsing

/// What a file's statements create that may be there already, as far as its policy asks for looking.
struct Replaying {
    let existing: Existing
    private let items: [Int: [ReplayItem]]
    private let sequels: Sequels?
    /// Statements that alter what earlier ones create, or what they themselves do.
    private let altering: Set<Int>

    /// - Parameter text: the script's text with its foreign keys blanked.
    init(_ existing: Existing, _ script: Script, _ text: [UInt8], in statements: Range<Int>) {
        self.existing = existing
        var items: [Int: [ReplayItem]] = [:]
        if existing != .fail {
            var nameless: [ReplayItem.Making: Int] = [:]
            for statement in statements {
                var found = ReplayItem.all(of: statement, in: script, text: text, namesKeys: existing == .skip)
                for index in found.indices where found[index].isNameless {
                    let making = found[index].making(text)
                    found[index].twins = nameless[making, default: 0]
                    nameless[making, default: 0] += 1
                }
                if !found.isEmpty { items[statement] = found }
            }
        }
        self.items = items
        let sequels = existing == .skipIdentical && !items.isEmpty ? Sequels(script, text) : nil
        self.sequels = sequels
        altering = Set(
            items.values.joined().flatMap { sequels?.after($0) ?? [] }.map(\.statement).filter(statements.contains))
    }

    var isEmpty: Bool { items.isEmpty }
    var statements: Set<Int> { altering.union(items.keys) }
    /// What the file does later to what the item makes.
    func sequels(of item: ReplayItem) -> [Sequel] { sequels?.after(item) ?? [] }
    subscript(statement: Int) -> [ReplayItem] { items[statement] ?? [] }
}

/// What is left to do of a statement after what exists was found.
struct Replayed {
    var events: [AuditEvent] = []
    /// Whether the whole statement is passed over.
    var isWhole = false
    /// Commands of an ALTER TABLE that are passed over.
    var commands: Set<Int> = []
    /// The bytes of what is passed over because of its name alone: its foreign keys go with it.
    var byName: [Range<Int>] = []
    /// The bytes of what is there as the file says: its foreign keys must be there too.
    var identical: [Range<Int>] = []
    /// What is skipped, to be looked at again.
    var skipped: [SkippedObject] = []
    /// Invalid indexes that make way for those that the file builds, as SQL writes them.
    var invalid: [String] = []
    /// The statement's commands, where it is an ALTER TABLE.
    var list: AlterTableCommands?

    /// What the event tells of is there: the command, or the whole statement, is passed over.
    mutating func pass(_ command: Int?, _ range: Range<Int>, _ event: AuditEvent, byName: Bool = false) {
        events.append(event)
        if let command { commands.insert(command) } else { isWhole = true }
        if byName { self.byName.append(range) } else { identical.append(range) }
    }

    /// One of the statement's commands is not sent with the others.
    mutating func leave(_ command: Int, of statement: Int, _ script: Script) {
        list = list ?? AlterTableCommands(statement, in: script)
        commands.insert(command)
    }

    func ignores(_ key: ForeignKeyStatement) -> Bool { byName.contains { $0.contains(key.range.lowerBound) } }

    /// Whether what the key belongs to stands already.
    func standing(_ key: ForeignKeyStatement) -> Bool { identical.contains { $0.contains(key.range.lowerBound) } }

    /// The script's text with what is left of the statement; nil where nothing is.
    func text(_ cut: [UInt8], _ keys: [ForeignKeyStatement], _ script: Script) -> [UInt8]? {
        if isWhole { return nil }
        guard let list, !commands.isEmpty else { return cut }
        // Its foreign keys and what exists leave together, so that the commas come out right.
        var text = script.text
        var gone = commands
        for key in keys {
            guard key.origin == .addConstraint else {
                for at in key.range where text[at] != 0x0A && text[at] != 0x0D { text[at] = 0x20 }
                continue
            }
            if let command = list.ranges.firstIndex(where: { $0.contains(key.range.lowerBound) }) {
                gone.insert(command)
            }
        }
        return list.text(text, without: gone)
    }
}
