internal import Reporting

/// A finding before it is known whether its file allows it.
struct Draft {
    var finding: CheckFinding
    /// The file in the line that it is about; nil for the directory.
    var file: Int?
    /// The byte of that file that it is about; nil for the file as a whole.
    var offset: Int?
}

/// A place in the line of files.
struct Site {
    var file: Int
    var offset: Int
    var place: Place
}
