internal import Reporting

/// What there is after each statement of the line, as far as the files tell, and what does not add up.
struct ObjectLedger {
    struct Entry {
        var site: Site
        var word: String?
        var type: TypeText?
        /// Which creation it was, counted over all files.
        var number: Int
        /// It may have gone since, by a statement that cannot be read.
        var isUncertain = false
    }

    /// A use of something that no earlier statement has created.
    struct EarlyUse {
        var object: SchemaObject
        var word: String?
        var use: Site
        var creation: Site
        /// The creation is IF NOT EXISTS or OR REPLACE: it may have been there before.
        var mayHaveExisted: Bool
    }

    private(set) var drafts: [Draft] = []
    private(set) var earlyUses: [EarlyUse] = []
    /// For each file those whose objects it uses.
    private(set) var needs: [Int: Set<Int>] = [:]

    private var entries: [SchemaObject: Entry] = [:]
    /// What goes when its owner goes: parts, and the indexes of a table.
    private var owned: [SchemaObject: [SchemaObject]] = [:]
    private var holders: [SchemaObject: SchemaObject] = [:]
    private var pending: [SchemaObject: [Site]] = [:]
    /// By the name that a body would call them; some may have gone since.
    private var byName: [String: [SchemaObject]] = [:]
    /// Names that unread bodies may have created.
    private var mentioned: Set<String> = []
    private var temporary: Set<SchemaObject> = []
    /// Columns that a CHECK holds against NULL.
    private var checkedColumns: Set<SchemaObject> = []

    private var count = 0
    /// Creations up to these numbers may have gone with a CASCADE.
    private var dependentsBarrier = 0
    private var columnsBarrier = 0
    private var schemaBarriers: [String: Int] = [:]
    private var wholeBarrier = 0
    /// Creations up to this number may have been undone by a call that is not read.
    private var callBarrier = 0

    /// The owner whose creation the current statement only repeats: its parts say nothing.
    private var repeated: SchemaObject?

    // MARK: Questions

    /// Whether that file itself has created the object before.
    func isNew(_ object: SchemaObject, in file: Int) -> Bool { entries[object]?.site.file == file }

    /// The type of a column, where a file says it.
    func type(of column: SchemaObject) -> TypeText? { entries[column]?.type }

    /// Whether an earlier CHECK keeps NULL out of the column, so that SET NOT NULL need not look.
    func isCheckedAgainstNull(_ column: SchemaObject) -> Bool { checkedColumns.contains(column) }

    mutating func checkAgainstNull(_ column: SchemaObject) { checkedColumns.insert(column) }

    /// Whether the object may have gone although no statement says so: with a view that a CASCADE took along, or by a call that is not read.
    private func isDoubtful(_ object: SchemaObject, _ entry: Entry) -> Bool {
        if entry.number <= callBarrier { return true }
        // A materialized view's indexes go with it.
        guard let holder = holders[object], entry.number <= dependentsBarrier else { return false }
        return entries[holder].map { $0.word?.hasSuffix("view") ?? false } ?? true
    }

    private func isCertain(_ object: SchemaObject, _ entry: Entry) -> Bool {
        if entry.isUncertain || entry.number <= wholeBarrier { return false }
        if entry.number <= schemaBarriers[object.schema] ?? 0 { return false }
        return switch object.kind {
        case .column: entry.number > columnsBarrier
        case .relation: !(entry.word?.hasSuffix("view") ?? false) || entry.number > dependentsBarrier
        case .constraint, .trigger, .policy, .rule, .function: entry.number > dependentsBarrier
        case .type, .enumValue, .schema, .extension: true
        }
    }

    // MARK: Statements

    /// What one statement does; `place` gives the place of a byte of its file.
    mutating func apply(
        _ changes: [ObjectChange], file: Int, start: Int, place: (Int) -> Place
    ) {
        repeated = nil
        func site(_ offset: Int?) -> Site { Site(file: file, offset: offset ?? start, place: place(offset ?? start)) }
        for change in changes {
            switch change {
            case .create(let object, let word, let at, let conditional, let replaces, let holder, let type):
                let entry = Entry(site: site(at), word: word, type: type, number: count + 1)
                create(object, entry, conditional: conditional, replaces: replaces, holder: holder)
            case .drop(let object, _, let cascade): drop(object, cascade: cascade)
            case .rename(let old, let new): rename(old, to: new)
            case .use(let object, let at, let conditional):
                use(object, in: file, conditional: conditional) { site(at) }
            case .mention(let words): mention(words)
            case .shrink(let table):
                for part in owned[table] ?? [] where part.kind == .relation || part.kind == .constraint {
                    entries[part]?.isUncertain = true
                }
            case .callUnknown: callBarrier = count
            case .forgetEverything: wholeBarrier = count
            }
        }
    }

    /// The end of a file: temporary objects belong to it alone.
    mutating func endFile() {
        for object in temporary {
            remove(object)
            pending[object] = nil
        }
        temporary = []
    }

    /// A text that could not be parsed: whatever it names is in doubt.
    mutating func mention(unparsed text: [UInt8]) { doubt(Words.all(in: text), drops: true, creates: true) }

    private mutating func mention(_ words: [String]) {
        let verbs = Set(words.map { $0.lowercased() })
        let any = verbs.contains("execute") || verbs.contains("rename")
        doubt(words, drops: any || verbs.contains("drop"), creates: any || verbs.contains("create"))
    }

    private mutating func doubt(_ words: [String], drops: Bool, creates: Bool) {
        guard drops || creates else { return }
        for word in Set(words.flatMap { [$0, $0.lowercased()] }) {
            if drops { for object in byName[word] ?? [] { entries[object]?.isUncertain = true } }
            if creates { mentioned.insert(word) }
        }
    }

    // MARK: One change

    private mutating func create(
        _ object: SchemaObject, _ entry: Entry, conditional: Bool, replaces: Bool, holder: SchemaObject?
    ) {
        if let owner = object.owner, owner == repeated { return }
        if let known = entries[object], isCertain(object, known), !conditional, !replaces, isDoubtful(object, known) {
            report(again: object, known, entry, conditional: false, isDoubtful: true)
            // What belongs to it has gone with it, if it has.
            remove(object)
        } else if let known = entries[object], isCertain(object, known) {
            if replaces {
                entries[object]?.type = entry.type
            } else {
                report(again: object, known, entry, conditional: conditional)
                repeated = object
                // One of the two will go; what follows in this file is about the one that it makes.
                if !conditional { entries[object]?.site = entry.site }
            }
            return
        }
        count += 1
        entries[object] = entry
        byName[object.part ?? object.name, default: []].append(object)
        if object.schema == SchemaObject.temporarySchema { temporary.insert(object) }
        if let owner = holder ?? object.owner {
            owned[owner, default: []].append(object)
            if holder != nil { holders[object] = owner }
            if object.kind == .function, entries[owner] == nil {
                entries[owner] = entry
                settle(owner, entry, mayHaveExisted: replaces)
            }
        }
        settle(object, entry, mayHaveExisted: conditional || replaces)
    }

    /// Uses that waited for it have found what they wanted, too late.
    private mutating func settle(_ object: SchemaObject, _ entry: Entry, mayHaveExisted: Bool) {
        for use in pending.removeValue(forKey: object) ?? [] {
            earlyUses.append(
                EarlyUse(
                    object: object, word: entry.word, use: use, creation: entry.site, mayHaveExisted: mayHaveExisted))
            needs[use.file, default: []].insert(entry.site.file)
        }
    }

    private mutating func use(
        _ object: SchemaObject, in file: Int, conditional: Bool, site: () -> Site
    ) {
        if let entry = entries[object] {
            if entry.site.file != file { needs[file, default: []].insert(entry.site.file) }
            return
        }
        // Once a file is enough: what has to move is the file.
        guard !conditional, !mentioned.contains(object.name), pending[object]?.last?.file != file else { return }
        pending[object, default: []].append(site())
    }

    private mutating func drop(_ object: SchemaObject, cascade: Bool) {
        remove(object)
        // It was there, so whoever used it before was right.
        pending[object] = nil
        if object.kind == .schema {
            schemaBarriers[object.name] = count
        }
        guard cascade else { return }
        dependentsBarrier = count
        if [.type, .schema, .extension].contains(object.kind) { columnsBarrier = count }
    }

    private mutating func remove(_ object: SchemaObject) {
        for part in owned.removeValue(forKey: object) ?? [] { forget(part) }
        forget(object)
    }

    private mutating func forget(_ object: SchemaObject) {
        entries[object] = nil
        if let owner = holders.removeValue(forKey: object) ?? object.owner {
            owned[owner]?.removeAll { $0 == object }
        }
    }

    private mutating func rename(_ old: SchemaObject, to new: SchemaObject) {
        pending[old] = nil
        let parts = owned.removeValue(forKey: old) ?? []
        for part in parts {
            if part.part == nil {
                holders[part] = new
                owned[new, default: []].append(part)
            } else if let entry = entries[part] {
                let moved = part.moved(to: new)
                forget(part)
                put(moved, entry)
            }
        }
        guard let entry = entries[old] else { return renameConstraint(ofIndex: old, to: new) }
        let holder = holders[old]
        forget(old)
        put(new, entry)
        if let holder {
            holders[new] = holder
            owned[holder, default: []].append(new)
        }
        settle(new, entry, mayHaveExisted: true)
    }

    /// The index of a constraint has its name and is renamed with it (manual, ALTER INDEX); of which table, only the server knows.
    private mutating func renameConstraint(ofIndex old: SchemaObject, to new: SchemaObject) {
        guard old.kind == .relation else { return }
        for constraint in Set(byName[old.name] ?? [])
        where constraint.kind == .constraint && constraint.schema == old.schema {
            guard constraint.part == old.name, let entry = entries[constraint] else { continue }
            forget(constraint)
            var renamed = constraint
            renamed.part = new.name
            put(renamed, entry)
        }
    }

    private mutating func put(_ object: SchemaObject, _ entry: Entry) {
        entries[object] = entry
        byName[object.part ?? object.name, default: []].append(object)
        if let owner = object.owner { owned[owner, default: []].append(object) }
        if object.schema == SchemaObject.temporarySchema { temporary.insert(object) }
    }

    // MARK: Findings

    private mutating func report(
        again object: SchemaObject, _ first: Entry, _ second: Entry, conditional: Bool, isDoubtful: Bool = false
    ) {
        // Written at the head of every other file, and meant so.
        if conditional, object.kind == .extension || object.kind == .schema { return }
        let what = object.text(second.word ?? first.word)
        let finding =
            conditional
            ? CheckFinding(
                .createdTwice, .note, place: second.site.place,
                "\(what) is not created here: '\(first.site.place.text)' has done so",
                hint: "IF NOT EXISTS skips the statement, whatever it says: remove it unless other databases need it.",
                related: [.init(place: first.site.place, message: "created here")])
            : CheckFinding(
                .createdTwice, isDoubtful ? .note : nil, place: second.site.place,
                isDoubtful
                    ? "\(what) is created twice, unless a CASCADE or a call has dropped it: first by '\(first.site.place.text)'"
                    : "\(what) is created twice: first by '\(first.site.place.text)'",
                hint: "Remove one of the two, or drop the first before the second is created.",
                related: [.init(place: first.site.place, message: "created here first")])
        drafts.append(Draft(finding: finding, file: second.site.file, offset: second.site.offset))
    }
}
