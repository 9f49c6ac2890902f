internal import AuditReading
internal import Reporting
internal import Systemd

/// Where an answer goes that may be kept: standard output, or a file that appears once it is whole.
final class Destination {
    private let file: NewFile?
    private let output = Output()

    /// Into the file at `path`, or to standard output.
    init(_ path: String?) throws { file = try path.map { path throws(SystemFailure) in try NewFile(path) } }

    /// Hands on bytes as they are.
    func write(_ bytes: [UInt8]) throws {
        guard let file else {
            try output.bytes(bytes)
            return try output.flush()
        }
        try file.write(bytes)
    }

    /// All was written.
    func finish() throws { try file?.finish() }

    /// Tells form and file apart: -o names the form, and --output the file or, as with the other verbs, the form.
    static func chosen<Form: RawRepresentable<String> & CaseIterable>(
        form: String?, output: String?, standard: Form
    ) throws -> (form: Form, path: String?) {
        let named = output.flatMap(Form.init)
        guard let form else { return (named ?? standard, named == nil ? output : nil) }
        guard let chosen = Form(rawValue: form) else {
            let forms = Form.allCases.map(\.rawValue).joined(separator: " and ")
            throw Complaint(
                .usage, "'\(form)' is no form that this verb writes",
                hint: "There are \(forms); a file is named with --output.")
        }
        return (chosen, named == nil ? output : nil)
    }
}
