import Reporting

extension Settings {
    /// Two settings that are each acceptable but not together; nil where all agree. The place is the reader's to add: that of the
    /// first of `keys` that is written somewhere.
    var contradiction: (keys: [String], complaint: Complaint)? {
        if retryWait > retryMaximum {
            return (
                ["retry-wait-max", "retry-wait"],
                Complaint(
                    .configuration, "'retry-wait' (\(retryWait)) is longer than 'retry-wait-max' (\(retryMaximum))",
                    hint: "Raise retry-wait-max or lower retry-wait.")
            )
        }
        if requireSignature != .none, allowedSigners == nil {
            return (
                ["require-signature"],
                Complaint(
                    .configuration, "'require-signature' is on and 'allowed-signers' names no file",
                    hint: "Set allowed-signers to a file as ssh-keygen(1) reads it.")
            )
        }
        return nil
    }
}
