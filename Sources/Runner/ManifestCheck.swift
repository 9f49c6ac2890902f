internal import Digest
internal import JSON
internal import Migrations
internal import Reporting
internal import Systemd

/// A manifest that an allowed signer has signed, and that lists the directory as it was read.
struct SignedManifest {
    let manifest: Manifest
    /// `sha256:` and 64 digits, of its text.
    let digest: String
    let signer: Signer

    /// Members for the detail of `started`; `History.acceptedManifest` reads them.
    var detail: [String: JSONValue] {
        var members: [String: JSONValue] = ["digest": .string(digest), "serial": .integer(manifest.serial)]
        if let head = manifest.fromHead { members["from_head"] = .integer(head.seq) }
        if let notAfter = manifest.notAfter { members["not_after"] = .string(notAfter) }
        return ["signature": signer.detail, "manifest": .object(members)]
    }
}

/// Reads the manifest of a directory: `MANIFEST`, signed by `MANIFEST.sig` in the namespace `migrated-manifest`.
final class ManifestCheck {
    private let verifier: SignatureVerifier
    /// What was verified last, with the state of the files that it rests on, and when: keys in the list of allowed signers expire too.
    private var last: (rests: [FileFacts], when: Instant, result: Result<SignedManifest, Finding>)?
    private static let lifetime = TimeSpan.seconds(60)

    init(_ verifier: SignatureVerifier) { self.verifier = verifier }

    /// The signed manifest of the directory; or why there is none. Whether it lists what is there is not looked at yet.
    func read(
        _ scan: Systemd.DirectoryScan, _ entries: [String: Systemd.DirectoryEntry]
    ) throws(Complaint) -> Result<SignedManifest, Finding> {
        let (name, sealName) = (Manifest.fileName, Manifest.fileName + ".sig")
        guard let entry = entries[name], let seal = entries[sealName] else {
            let what = entries[name] == nil ? name : sealName
            return .failure(
                ManifestCheck.finding(
                    .unsigned,
                    Complaint(.permission, "'\(scan.path)/\(what)' is missing, and require-signature = \"manifest\"")))
        }
        let rests = [entry.facts, seal.facts, try verifier.facts()]
        if let last, last.rests == rests, Instant.now() - last.when < ManifestCheck.lifetime { return last.result }
        let result = try verified(entry, seal, scan)
        last = (rests, .now(), result)
        return result
    }

    private func verified(
        _ entry: Systemd.DirectoryEntry, _ seal: Systemd.DirectoryEntry, _ scan: Systemd.DirectoryScan
    ) throws(Complaint) -> Result<SignedManifest, Finding> {
        var reason = Finding.Reason.unsigned
        do throws(Complaint) {
            guard entry.facts.size <= Manifest.sizeLimit else {
                throw Complaint(
                    .permission, "'\(scan.path)/\(entry.path)' is larger than \(Manifest.sizeLimit) bytes, and not read"
                )
            }
            let bytes = try scan.read(entry, limit: Manifest.sizeLimit)
            let signer = try verifier.signer(of: bytes, entry.path, Manifest.namespace, seal: seal, in: scan)
            reason = .manifestRefused
            let manifest = try Manifest(bytes)
            return .success(SignedManifest(manifest: manifest, digest: "sha256:" + SHA256.hex(bytes), signer: signer))
        } catch {
            if [.tryLater, .inputOutput, .configuration].contains(error.status) { throw error }
            return .failure(ManifestCheck.finding(reason, error))
        }
    }

    /// The manifest where it lists exactly what the snapshot holds; else what differs.
    static func compared(_ signed: SignedManifest, with snapshot: MigrationDirectory.Snapshot) -> Result<
        SignedManifest, Finding
    > {
        let differences = signed.manifest.differences(from: snapshot.found, layout: snapshot.set.layout)
        guard let first = differences.first else { return .success(signed) }
        let more = differences.count > 1 ? ", and \(differences.count - 1) more difference(s)" : ""
        var complaint = Complaint(
            .permission,
            "\(Manifest.fileName) (serial \(signed.manifest.serial)) does not list the directory as it is: \(first)\(more)",
            hint:
                "Deploy the files that were signed; or look at what differs, write the manifest again with 'migrated manifest --write', and have it signed."
        )
        complaint.notes = differences.dropFirst().prefix(20).map(\.self)
        return .failure(finding(.manifestRefused, complaint))
    }

    /// Why nothing runs, with the way out where there is none yet.
    static func finding(_ reason: Finding.Reason, _ problem: Complaint) -> Finding {
        var complaint = problem
        complaint.status = .permission
        complaint.hint =
            complaint.hint
            ?? "Write it with 'migrated manifest --write', and sign it with 'ssh-keygen -Y sign -n \(Manifest.namespace) -f KEY \(Manifest.fileName)'."
        return Finding(reason, path: Manifest.fileName, complaint: complaint)
    }
}
