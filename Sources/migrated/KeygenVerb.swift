internal import ArgumentParser
internal import Digest
internal import Reporting
internal import Systemd

/// `migrated keygen`: makes the key that signs anchors.
struct KeygenVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Makes the pair of keys that anchors of the history are signed and verified with.",
        discussion: """
            Ed25519. FILE gets the private key, readable by its owner alone; FILE.pub gets the public one, which is printed too. Neither \
            is ever overwritten.
            """)

    @Option(name: .long, help: ArgumentHelp("Where the private key goes.", valueName: "file"))
    var out = "/etc/migrated/signing-key"

    func run() throws {
        let key = SigningKey()
        do throws(SystemFailure) {
            try KeyFile.write(key.pem, to: out, mode: 0o600)
            do throws(SystemFailure) {
                try KeyFile.write(key.publicKey.pem, to: out + ".pub", mode: 0o644)
            } catch {
                // Of a pair both halves are there, or none.
                try KeyFile.remove(out)
                throw error
            }
        } catch {
            var complaint = error.complaint
            if error.isExisting {
                complaint.hint = "A key is never overwritten: give another --out, or move the old one away."
            } else if error.isMissing {
                complaint.hint = "Make its directory first, for root alone: install -d -m 0700 DIRECTORY"
            }
            throw complaint
        }
        Terminal.print("private key: \(Printable.line(out))")
        Terminal.print("public key: \(Printable.line(out)).pub, \(key.publicKey.id)")
        Terminal.print(lines: key.publicKey.pem)
    }
}
