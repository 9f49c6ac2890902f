internal import Audit
internal import AuditReading
internal import Digest
internal import Reporting
internal import Systemd

/// What was found of a history outside of its database.
struct WitnessesFound {
    var key: PublicKey?
    var state: StateWitness
    /// The journal, where it was asked for.
    var journal: JournalWitness?
    /// What has to vouch for the history.
    var required: Set<AnchorSource> = []
    var testimony = Testimony([])

    init(key: PublicKey?, state: StateWitness) {
        self.key = key
        self.state = state
    }

    /// A source that says nothing: why, and what to do about it.
    struct Silence {
        var source: AnchorSource
        var why: String
        var hint: String
    }

    /// The sources that say nothing: those that have to, and the others that were looked at in vain.
    var silences: [Silence] {
        [journalSilence, stateSilence, signatureSilence].compactMap(\.self)
    }

    private var signatureSilence: Silence? {
        guard let key, testimony.signed == 0 else { return nil }
        return Silence(
            source: .signature, why: "no anchor is signed by key \(key.id)",
            hint: "Is it the key that the daemon signs with? 'migrated keygen' prints its name.")
    }

    private var stateSilence: Silence? {
        guard state.log.anchors.isEmpty else { return nil }
        if let failure = state.failure {
            return Silence(
                source: .state, why: "the anchors in the state directory were not seen: \(failure.message)",
                hint: failure.hint ?? "Name the daemon's with --state-directory.")
        }
        guard required.contains(.state) else { return nil }
        return Silence(
            source: .state, why: "the state directory '\(state.path ?? "")' has no anchor of this history",
            hint: "Name the daemon's with --state-directory; if this is it, find out who has removed its anchors.")
    }

    private var journalSilence: Silence? {
        guard let journal, journal.heads.isEmpty else { return nil }
        return Silence(source: .journal, why: journal.why, hint: journal.hint)
    }
}

extension JournalWitness {
    /// Why there is no anchor in it that counts.
    fileprivate var why: String {
        let what = place.directory.map { "the journal in '\($0)'" } ?? "this machine's journal"
        let namespace = place.namespace.map { $0 == "*" ? "" : " in namespace '\($0)'" } ?? ""
        if let failure { return "\(what) was not read: \(failure.complaint.message)" }
        guard files.count > 0 else {
            guard let first = files.failures.first else { return "\(what) has no file\(namespace)" }
            return "\(what) was not read: \(first.complaint.message)\(JournalWitness.more(files.failures.count - 1))"
        }
        let uncounted = ignoredWords
        guard uncounted.isEmpty else {
            return "\(what) has no entry about this history that counts: \(uncounted.joined(separator: "; "))"
        }
        let unread =
            files.failures.first.map {
                "; of its files \(files.failures.count) could not be read: \($0.complaint.message)"
            } ?? ""
        return "\(what) has no entry about this history\(namespace)\(unread)"
    }

    fileprivate var hint: String {
        if files.failures.contains(where: { $0.complaint.status == .permission }) {
            return "Root and the group 'systemd-journal' may read all of it."
        }
        if !ignoredHosts.isEmpty { return "Name the hosts that run migrated with --journal-host." }
        if !ignored.isEmpty { return "Name the user that migrated runs as with --journal-user." }
        let others = files.otherNamespaces.sorted().filter { !$0.isEmpty }.map { "'\($0)'" }
        if !others.isEmpty {
            return
                "There are namespaces as well: \(others.joined(separator: ", ")). Name the daemon's with --journal-namespace."
        }
        return
            "It may be another machine's, or no longer kept: find out which. To let another source vouch alone, name it with --require."
    }

    /// What it has about this history that does not count, one clause each.
    var ignoredWords: [String] {
        ignored.sorted { $0.key < $1.key }.map { user, count in
            let name = user == .max ? "nobody that the journal names" : Process.userName(of: user) ?? "user \(user)"
            return "\(count) journal entries about this history were written by \(name): ignored"
        }
            + ignoredHosts.sorted { $0.key < $1.key }.map { host, count in
                "\(count) journal entries about this history are of host '\(host)', which is not among \(namedHosts): ignored"
            }
    }

    private var namedHosts: String { trust.isHostGiven ? "those named" : "those that the history names" }

    /// What could not be read beside what was.
    fileprivate var unread: String? {
        guard let first = files.failures.first else { return nil }
        return "\(files.failures.count) of \(files.count + files.failures.count) journal files were not read: "
            + first.complaint.message
    }

    private static func more(_ count: Int) -> String { count > 0 ? ", and \(count) more" : "" }

    /// What was read, one line.
    var note: String {
        let seals =
            files.sealed == 0
            ? "none of them sealed" : "\(files.sealed) of them sealed (check with 'journalctl --verify')"
        let of = hosts.isEmpty ? "" : "; hosts: \(hosts.sorted().joined(separator: ", "))"
        return "journal: \(files.count) files, \(seals)\(of)"
    }
}

extension WitnessesFound {
    /// What is no tampering and yet makes the evidence weaker, beside what the anchors themselves say.
    var warnings: [String] {
        // Of the database before, where that of this one was read.
        let earlier =
            state.log.anchors.isEmpty
            ? nil : state.failure.map { "the anchors of the database before were not seen: \($0.message)" }
        let silent = silences.filter { !required.contains($0.source) }.map(\.why) + [earlier].compactMap(\.self)
        guard let journal, !journal.heads.isEmpty else { return silent + (journal?.ignoredWords ?? []) }
        let broken = journal.failure.map { "the journal was not read to its end: \($0.complaint.message)" }
        return silent + [journal.unread, broken].compactMap(\.self) + journal.ignoredWords
    }
}

extension Examination {
    /// The examination with a verdict that rests on what has to vouch for it: a chain that is whole is not intact where that says nothing, or
    /// where hosts of which nobody knows whether they are to be believed say otherwise.
    func requiring(_ found: WitnessesFound) -> Examination {
        var examination = self
        examination.warnings += found.warnings
        guard case .intact = verdict else {
            examination.warnings += found.silences.filter { found.required.contains($0.source) }.map(\.why)
            return examination
        }
        let silent = found.silences.filter { found.required.contains($0.source) }
        if let first = silent.first {
            examination.verdict = .cannotTell(
                .silentWitness(silent.map(\.why).joined(separator: "; "), hint: first.hint))
        } else if !testimony.contradictingHosts.isEmpty {
            let hosts = testimony.contradictingHosts.sorted().map { "'\($0)'" }.joined(separator: ", ")
            examination.verdict = .cannotTell(
                .silentWitness(
                    "the journal has entries that do not fit this history, of hosts that it does not name: \(hosts)",
                    hint: "Name the hosts that run migrated with --journal-host: those of others then do not count."))
        }
        return examination
    }
}
