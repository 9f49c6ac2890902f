/// What must be signed before a file is run: `require-signature =`.
public enum SignaturePolicy: Sendable, Equatable {
    /// Nothing.
    case none
    /// Each file, by itself or in a list of checksums.
    case files
    /// A manifest that names every file, its direction, the order and the database.
    case manifest
}

extension ValueForm where Value == SignaturePolicy {
    /// true and false, which are older than the manifest, or its name.
    static var signaturePolicy: ValueForm {
        ValueForm(
            accepted: "false, true, or 'manifest'",
            takes: { value in
                switch value {
                case .flag, .boolean, .string: true
                case .integer, .strings, .other: false
                }
            },
            read: { value in
                switch value {
                case .boolean(false), .flag("false"): SignaturePolicy.none
                case .boolean(true), .flag("true"): .files
                case .string("manifest"), .flag("manifest"): .manifest
                case .flag, .string, .integer, .strings, .other: nil
                }
            },
            written: { policy in
                switch policy {
                case .none: "false"
                case .files: "true"
                case .manifest: "\"manifest\""
                }
            })
    }
}
