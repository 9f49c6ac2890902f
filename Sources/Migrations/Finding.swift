public import Reporting

/// Something about a directory or a file that is told and recorded, and does not end the run.
public struct Finding: Error, Sendable, Equatable {
    /// The stable word under which it is recorded, one of the audit's reasons.
    public enum Reason: String, CaseIterable, Sendable {
        /// The file cannot be accepted: its name, what kind of file it is, its bytes or its directives.
        case invalidFile = "invalid_file"
        /// Ownership or mode that is not safe.
        case unsafePermissions = "unsafe_permissions"
        /// A signature is demanded and is not there.
        case unsigned
        /// A manifest is demanded, and the one that is there and signed does not allow it: it lists other files, is of another database, has expired,
        /// or is older than the one accepted last.
        case manifestRefused = "manifest_refused"
        /// An SQL file that the layout does not know, and that is not run.
        case unknownFile = "unknown_file"
        /// A setting of the layout's tool that has no meaning here.
        case unknownSetting = "unknown_setting"
        /// An SQL file that the journal does not name, and that is not run.
        case notInJournal = "not_in_journal"
        /// A change that no script verifies, beside others that have one.
        case notVerified = "not_verified"
        /// A file that undoes a migration that is not there.
        case downWithoutUp = "down_without_up"
        /// Two names that some file systems, and some people, take for one.
        case alikeNames = "alike_names"
        /// Two versions of the layout's own tool would run these files in different orders.
        case ambiguousOrder = "ambiguous_order"
    }

    /// One word in each migration, of which few have a finding.
    private final class Parts: Sendable {
        let reason: Reason
        let path: String
        let complaint: Complaint

        init(_ reason: Reason, _ path: String, _ complaint: Complaint) {
            self.reason = reason
            self.path = path
            self.complaint = complaint
        }
    }
    private let parts: Parts

    /// Why it is told.
    public var reason: Reason { parts.reason }
    /// The file or directory, relative to the migrations directory.
    public var path: String { parts.path }
    /// The sentence, its remedy, and the place in the file.
    public var complaint: Complaint { parts.complaint }

    /// A finding from a complaint.
    public init(_ reason: Reason, path: String, complaint: Complaint) { parts = Parts(reason, path, complaint) }

    public static func == (one: Finding, other: Finding) -> Bool {
        one.reason == other.reason && one.path == other.path && one.complaint == other.complaint
    }

    /// A finding about a path as a whole.
    public init(_ reason: Reason, path: String, _ message: String, hint: String? = nil) {
        self.init(reason, path: path, complaint: Complaint(.badFile, message, hint: hint, place: Place(file: path)))
    }
}
