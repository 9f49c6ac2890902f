/// What an attempt records beforehand of what its file meets: `preflight =`.
public enum PreflightReport: String, CaseIterable, Sendable {
    /// Nothing.
    case no
    /// What the catalog tells at once, of files that keep the users of a table that is there waiting.
    case catalog
    /// That of every file, and the orphans of each foreign key, which reads the tables.
    case full
}
