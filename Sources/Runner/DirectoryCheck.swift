public import Configuration
public import JSON
internal import Migrations
public import Reporting
internal import SQLParsing

/// What can be said of the configured directory without a database: every file read and parsed.
public struct DirectoryCheck: Sendable {
    /// What is wrong or doubtful, in the line's order.
    public private(set) var complaints: [Complaint] = []
    private var layout: LayoutName
    private var files = 0
    private var bad = 0

    /// Reads and parses everything. Throws what keeps the directory from being read at all.
    public init(_ settings: Settings) throws(Complaint) {
        let directory = try MigrationDirectory(settings)
        let snapshot = try directory.read()
        layout = snapshot.set.layout
        for candidate in snapshot.candidates {
            files += 1
            do throws(Complaint) {
                switch candidate.content {
                case .unusable(let finding): throw finding.complaint
                case .text(let checksum, _):
                    let file = try directory.file(candidate.migration, checksum: checksum, in: snapshot)
                    let script = try PreparedFile.script(of: file, .up, sizeLimit: settings.sizeLimit)
                    if let warning = script.unparsed { complaints.append(warning) }
                }
            } catch {
                bad += 1
                complaints.append(error)
            }
        }
        for finding in snapshot.set.findings where !snapshot.set.migrations.contains(where: { $0.path == finding.path })
        {
            complaints.append(finding.complaint)
        }
    }

    /// One line: how many files of which layout, and how many of them cannot be run.
    public var status: String {
        "\(files) migration(s) in layout \(layout.rawValue), \(bad) that cannot be run, \(complaints.count) finding(s)"
    }

    /// For machines.
    public var json: JSONValue {
        [
            "layout": .string(layout.rawValue), "migrations": .integer(Int64(files)), "bad": .integer(Int64(bad)),
            "findings": .array(
                complaints.map { complaint in
                    [
                        "message": .string(complaint.message), "hint": JSONValue(complaint.hint),
                        "file": JSONValue(complaint.place?.file), "line": JSONValue(complaint.place?.line),
                        "column": JSONValue(complaint.place?.column),
                    ]
                }),
        ]
    }

    /// 0 where every file can be run, else that of the first that cannot.
    public var exitStatus: ExitStatus { bad == 0 ? .done : complaints.first?.status ?? .badFile }
}
