/// The two forms of an export; docs/export-format.md describes both.
public enum ExportForm: String, CaseIterable, Sendable {
    /// One JSON object a line.
    case ndjson
    /// Records by RFC 4180, the first of them the column names.
    case csv
}
