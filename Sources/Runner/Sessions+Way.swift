internal import Postgres

extension Sessions {
    /// The files that the connection strings name.
    var files: [String] { target.files + (bookTarget?.files ?? []) }

    /// In what the ways to the server are less safe than the default, each once.
    var weaknesses: [String] {
        let found = [target.weakness, bookTarget?.weakness].compactMap(\.self)
        return Set(found).sorted() + [ConnectionSecret.warning].compactMap(\.self)
    }
}
