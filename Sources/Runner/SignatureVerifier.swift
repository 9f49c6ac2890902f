internal import JSON
internal import Reporting
internal import Systemd

/// Who has signed a text.
struct Signer: Equatable {
    /// As the list of allowed signers names it.
    let principal: String
    /// The key's fingerprint, `SHA256:…`, and its type.
    let key: String
    let keyType: String
    /// What the signature is for.
    let namespace: String
    /// The file that was signed.
    let file: String

    /// In words.
    var words: String { "'\(principal)', key \(key)" }

    /// What `started` says of it.
    var detail: JSONValue {
        [
            "signer": .string(principal), "key": .string(key), "key_type": .string(keyType),
            "namespace": .string(namespace), "file": .string(file),
        ]
    }
}

/// Signatures by ssh-keygen(1) of whoever a list of allowed signers names.
struct SignatureVerifier {
    private let allowedSigners: String
    private let loop: PollLoop

    /// The tool, and how long one call of it may take.
    static let tool = "/usr/bin/ssh-keygen"
    private static let limit = TimeSpan.seconds(10)
    /// The largest signature that is read: one by RSA with 16384 bits has 4 kB.
    private static let sizeLimit = 64 << 10

    /// Throws where nobody could be allowed, or others may say who is.
    init(allowedSigners: String, loop: PollLoop) throws(Complaint) {
        self.allowedSigners = allowedSigners
        self.loop = loop
        _ = try ConfigurationFile.facts(allowedSigners)
        try SafePath.require(allowedSigners)
    }

    /// What stat(2) says of the list of allowed signers: what was verified rests on it.
    func facts() throws(Complaint) -> FileFacts { try ConfigurationFile.facts(allowedSigners) }

    /// Who has signed `bytes`, the content of `file`; throws `.permission` where `seal`, an entry of `scan`, is no allowed signer's signature
    /// of them in that namespace.
    func signer(
        of bytes: [UInt8], _ file: String, _ namespace: String, seal: Systemd.DirectoryEntry,
        in scan: Systemd.DirectoryScan
    ) throws(Complaint) -> Signer {
        let path = "\(scan.path)/\(seal.path)"
        // The tool would wait at a pipe.
        guard seal.kind == .file, seal.facts.size <= SignatureVerifier.sizeLimit else {
            throw Complaint(
                .permission, "the signature '\(path)' is no file of at most \(SignatureVerifier.sizeLimit) bytes")
        }
        let found = try call(["-Y", "find-principals", "-s", path, "-f", allowedSigners], input: [])
        // A line of the list may name several, and patterns among them that no check takes for a name (`!mallory,*`).
        let names = String(decoding: found.output, as: UTF8.self).split(separator: "\n")
        guard found.status == 0, !names.isEmpty else { throw refusal(path, "is of no allowed signer", found) }
        var checked = found
        for name in names {
            checked = try call(
                ["-Y", "verify", "-f", allowedSigners, "-I", String(name), "-n", namespace, "-s", path], input: bytes)
            if checked.status == 0, let signer = Signer(checked.output, String(name), namespace, file) { return signer }
        }
        throw refusal(path, "does not fit", checked)
    }

    private func call(_ arguments: [String], input: [UInt8]) throws(Complaint) -> ChildProcess.Outcome {
        do throws(SystemFailure) {
            return try ChildProcess.run(
                SignatureVerifier.tool, arguments, input: input, limit: SignatureVerifier.limit, loop: loop)
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
}

extension Signer {
    /// What ssh-keygen says of a good one: `Good "file" signature for alice with ED25519 key SHA256:…`. Nil where it says something else.
    fileprivate init?(_ output: [UInt8], _ principal: String, _ namespace: String, _ file: String) {
        let words = String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline).last?.split(
            separator: " ")
        guard let words, words.first == "Good", let key = words.last, key.hasPrefix("SHA256:"), words.count > 3 else {
            return nil
        }
        self.init(
            principal: principal, key: String(key), keyType: String(words[words.count - 3]), namespace: namespace,
            file: file)
    }
}
