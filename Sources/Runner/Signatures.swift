internal import Configuration
internal import Digest
internal import Migrations
internal import Reporting
internal import Systemd

/// Which files of a directory an allowed signer has signed, by ssh-keygen(1): all that SHA256SUMS lists, where SHA256SUMS.sig is its signature, and
/// each NAME that NAME.sig is the signature of.
///
/// Compared are bytes that were read: the text of SHA256SUMS that was verified with the checksums of the bytes that run.
final class Signatures {
    private let allowedSigners: String
    private let loop: PollLoop
    private let sizeLimit: Int
    /// What was found last, with the state of the files that it rests on.
    private var lists: (rests: [FileFacts], sums: Result<[String: String], Complaint>)?
    private var verified: [String: (rests: [FileFacts], checksum: String)] = [:]

    /// The tool, and how long one call of it may take.
    static let tool = "/usr/bin/ssh-keygen"
    private static let limit = TimeSpan.seconds(10)

    /// Throws where nobody could be allowed, or others may say who is.
    init(allowedSigners: String, sizeLimit: Int, loop: PollLoop) throws(Complaint) {
        self.allowedSigners = allowedSigners
        self.sizeLimit = sizeLimit
        self.loop = loop
        _ = try ConfigurationFile.facts(allowedSigners)
        try SafePath.require(allowedSigners)
    }

    /// Reads what the directory says of signatures; called once for each scan.
    func look(_ scan: Systemd.DirectoryScan, _ entries: [String: Systemd.DirectoryEntry]) throws(Complaint) {
        guard let list = entries["SHA256SUMS"], let seal = entries["SHA256SUMS.sig"] else {
            lists = nil
            return
        }
        let rests = [list.facts, seal.facts] + (try signers())
        if lists?.rests == rests { return }
        let bytes = try scan.read(list, limit: sizeLimit)
        do throws(Complaint) {
            try verify(bytes, "\(scan.path)/SHA256SUMS.sig")
            lists = (rests, .success(Signatures.sums(bytes)))
        } catch {
            if error.status == .tryLater { throw error }
            lists = (rests, .failure(error))
        }
    }

    /// Why the file at `path`, whose bytes have that checksum, does not count as signed; nil where it does. `bytes` reads it.
    func problem(
        _ path: String, checksum: String, _ scan: Systemd.DirectoryScan, _ entries: [String: Systemd.DirectoryEntry],
        bytes: () throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Complaint? {
        var reason = "neither SHA256SUMS with SHA256SUMS.sig nor '\(path).sig' is there"
        switch lists?.sums {
        case .success(let sums)?:
            if sums[path] == checksum { return nil }
            reason =
                sums[path] == nil
                ? "SHA256SUMS does not list it" : "its bytes have another checksum than SHA256SUMS says"
        case .failure(let complaint)?: reason = complaint.message
        case nil: break
        }
        if let seal = entries[path + ".sig"] {
            let rests = [seal.facts] + (try signers())
            if let known = verified[path], known.rests == rests, known.checksum == checksum { return nil }
            do throws(Complaint) {
                try verify(try bytes(), "\(scan.path)/\(path).sig")
                verified[path] = (rests, checksum)
                return nil
            } catch {
                if error.status == .tryLater { throw error }
                reason = error.message
            }
        }
        return Complaint(
            .permission, "'\(path)' is not signed: \(reason)",
            hint:
                "Sign it with 'ssh-keygen -Y sign -n file -f KEY FILE', as docs/evidence.md says, or set require-signature = false."
        )
    }

    private func signers() throws(Complaint) -> [FileFacts] {
        [try ConfigurationFile.facts(allowedSigners)]
    }

    /// Throws where `seal` is no allowed signer's signature of `bytes`.
    private func verify(_ bytes: [UInt8], _ seal: String) throws(Complaint) {
        let found = try call(["-Y", "find-principals", "-s", seal, "-f", allowedSigners], input: [])
        let names = String(decoding: found.output, as: UTF8.self).split(separator: "\n")
        guard found.status == 0, let name = names.first else { throw refusal(seal, "is of no allowed signer", found) }
        let checked = try call(
            ["-Y", "verify", "-f", allowedSigners, "-I", String(name), "-n", "file", "-s", seal], input: bytes)
        guard checked.status == 0 else { throw refusal(seal, "does not fit", checked) }
    }

    private func call(_ arguments: [String], input: [UInt8]) throws(Complaint) -> ChildProcess.Outcome {
        do throws(SystemFailure) {
            return try ChildProcess.run(
                Signatures.tool, arguments, input: input, limit: Signatures.limit, loop: loop)
        } catch {
            var complaint = error.complaint
            complaint.status = .configuration
            complaint.hint =
                "require-signature needs ssh-keygen: install the package openssh-client, and let the unit run it."
            throw complaint
        }
    }

    private func refusal(_ seal: String, _ what: String, _ outcome: ChildProcess.Outcome) -> Complaint {
        let said =
            String(decoding: outcome.errors.isEmpty ? outcome.output : outcome.errors, as: UTF8.self)
            .split(separator: "\n").first.map { ": \($0)" }
            ?? (outcome.status == nil ? ": ssh-keygen did not end in time" : "")
        return Complaint(.permission, "the signature '\(seal)' \(what)\(said)")
    }

    /// Checksums by path, as sha256sum(1) writes them: 64 digits, a space, a space or an asterisk, the path.
    static func sums(_ bytes: [UInt8]) -> [String: String] {
        var sums: [String: String] = [:]
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let text = String(decoding: line, as: UTF8.self)
            let digits = text.prefix(64)
            var path = text.dropFirst(66)
            guard digits.utf8.count == 64, Hex.bytes(digits) != nil, text.dropFirst(64).first == " ", !path.isEmpty
            else {
                continue
            }
            if path.hasPrefix("./") { path = path.dropFirst(2) }
            sums[String(path)] = "sha256:" + digits.lowercased()
        }
        return sums
    }
}
