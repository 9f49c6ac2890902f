/// Which release of the project this is.
public enum Release {
    /// The version that both programs print; the package's is the same.
    public static let version = "0.1.0"
}
