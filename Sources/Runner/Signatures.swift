internal import Configuration
internal import Digest
internal import Migrations
internal import Reporting
internal import Systemd

/// Which files of a directory an allowed signer has signed, by ssh-keygen(1): all that SHA256SUMS lists, where SHA256SUMS.sig is its signature, and
/// each NAME that NAME.sig is the signature of.
///
/// Compared are bytes that were read: the text of SHA256SUMS that was verified with the checksums of the bytes that run. Names are bound by
/// SHA256SUMS alone, and neither way binds direction, order or database: `ManifestCheck` does.
final class Signatures {
    private let verifier: SignatureVerifier
    private let sizeLimit: Int
    /// What was found last, with the state of the files that it rests on.
    private var lists: (rests: [FileFacts], sums: Result<(sums: [String: String], signer: Signer), Complaint>)?
    private var verified: [String: (rests: [FileFacts], checksum: String, signer: Signer)] = [:]

    private static let namespace = "file"

    init(_ verifier: SignatureVerifier, sizeLimit: Int) {
        self.verifier = verifier
        self.sizeLimit = sizeLimit
    }

    /// Reads what the directory says of signatures; called once for each scan.
    func look(_ scan: Systemd.DirectoryScan, _ entries: [String: Systemd.DirectoryEntry]) throws(Complaint) {
        guard let list = entries["SHA256SUMS"], let seal = entries["SHA256SUMS.sig"] else {
            lists = nil
            return
        }
        let rests = [list.facts, seal.facts, try verifier.facts()]
        if lists?.rests == rests { return }
        let bytes = try scan.read(list, limit: sizeLimit)
        do throws(Complaint) {
            let signer = try verifier.signer(of: bytes, "SHA256SUMS", Signatures.namespace, seal: seal, in: scan)
            lists = (rests, .success((Signatures.sums(bytes), signer)))
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
        case .success((let sums, _))?:
            if sums[path] == checksum { return nil }
            reason =
                sums[path] == nil
                ? "SHA256SUMS does not list it" : "its bytes have another checksum than SHA256SUMS says"
        case .failure(let complaint)?: reason = complaint.message
        case nil: break
        }
        if let seal = entries[path + ".sig"] {
            let rests = [seal.facts, try verifier.facts()]
            if let known = verified[path], known.rests == rests, known.checksum == checksum { return nil }
            do throws(Complaint) {
                let signer = try verifier.signer(of: try bytes(), path, Signatures.namespace, seal: seal, in: scan)
                verified[path] = (rests, checksum, signer)
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

    /// Who has signed the file at `path` with that checksum, for which there was no problem.
    func signer(_ path: String, checksum: String) -> Signer? {
        if case .success((let sums, let signer))? = lists?.sums, sums[path] == checksum { return signer }
        guard let known = verified[path], known.checksum == checksum else { return nil }
        return known.signer
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
