package import Reporting

extension Manifest {
    /// What a history says, as far as a manifest is compared with it.
    package struct History: Sendable, Equatable {
        /// Its identity, 64 digits.
        package var genesis: String
        /// Its newest event.
        package var seq: Int64
        /// The hash of the event that `fromHead` names, 64 digits; nil where there is none.
        package var hashAtHead: String?
        /// The server's clock in UTC, written as `notAfter`.
        package var now: String
        /// The manifest of the newest attempt that had one.
        package var accepted: Accepted?

        package init(genesis: String, seq: Int64, hashAtHead: String?, now: String, accepted: Accepted?) {
            self.genesis = genesis
            self.seq = seq
            self.hashAtHead = hashAtHead
            self.now = now
            self.accepted = accepted
        }
    }

    /// A manifest of which a history has run a file.
    package struct Accepted: Sendable, Equatable {
        package var serial: Int64
        /// `sha256:` and 64 digits, of its text.
        package var digest: String
        /// The event that says so.
        package var seq: Int64

        package init(serial: Int64, digest: String, seq: Int64) {
            self.serial = serial
            self.digest = digest
            self.seq = seq
        }
    }

    /// Why the manifest, whose text has that digest, allows nothing on a history; nil where it allows what it lists.
    package func refusal(on history: History, digest: String) -> Complaint? {
        let name = "\(Manifest.fileName) (serial \(serial))"
        func refused(_ what: String, _ hint: String) -> Complaint {
            Complaint(.permission, "\(name) \(what)", hint: hint)
        }
        guard histories.contains(history.genesis) else {
            return refused(
                "was signed for another database: it names the history \(histories.map { "'\($0)'" }.joined(separator: ", ")), and this one is '\(history.genesis)'",
                "Deploy the manifest of this database, or sign one with the line 'history: \(history.genesis)'.")
        }
        if let accepted = history.accepted, serial < accepted.serial {
            return refused(
                "is older than the one accepted last, serial \(accepted.serial) of event \(accepted.seq)",
                "Deploy the newer manifest with its files; to run these files after all, sign a manifest with a higher serial."
            )
        }
        if let accepted = history.accepted, serial == accepted.serial, digest != accepted.digest {
            return refused(
                "has the serial of another manifest, which was accepted in event \(accepted.seq)",
                "Sign this one with a higher serial: 'migrated manifest --serial \(accepted.serial + 1)'.")
        }
        if let head = fromHead, head.seq > history.seq {
            return refused(
                "holds from event \(head.seq) on, and this history ends at event \(history.seq)",
                "Find out whether this is a restored copy ('auditctl verify'); for this state of it sign a manifest without 'from-head' or with a lower one."
            )
        }
        if let head = fromHead, let hash = head.hash, hash != history.hashAtHead {
            return refused(
                "was signed for a history whose event \(head.seq) has the hash '\(hash)', and here it is '\(history.hashAtHead ?? "")'",
                "Find out whether this is a copy or was rewritten ('auditctl verify'); for this history sign a manifest of its own."
            )
        }
        return expiry(at: history.now).map {
            refused($0, "Sign a new one with a higher serial: 'migrated manifest --not-after TIME'.")
        }
    }

    /// That it has expired, as a clause, at a moment written as `notAfter`; nil where it has not.
    package func expiry(at now: String) -> String? {
        guard let notAfter, notAfter < now else { return nil }
        return "has expired: it allows no run after \(notAfter)"
    }
}
