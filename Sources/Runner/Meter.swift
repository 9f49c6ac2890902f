/// A bar of plain characters.
public enum Meter {
    /// `[########------------] 42 %`.
    public static func text(_ share: Double, width: Int = 20) -> String {
        let share = min(1, max(0, share))
        let full = Int(share * Double(width))
        return
            "[\(String(repeating: "#", count: full))\(String(repeating: "-", count: width - full))] \(Int(share * 100)) %"
    }
}
