internal import Glibc

/// What a connection is held to where its operator has written nothing: the server proves by a certificate that it is the one that was meant,
/// before anything is said to it, and it is not told the password itself.
///
/// libpq's own default (`prefer`) sends a password in clear to whatever listens and says that it knows no encryption. A Unix socket is not
/// concerned: libpq does not encrypt there. Loopback is: any user of the machine can listen at a port.
enum ConnectionDefaults {
    /// The variables of libpq that hold where neither connection string nor service file says otherwise (PostgreSQL manual 34.15), which is
    /// why nothing else keeps that order. libpq before 16 does not look at the second one; the first has it send a password to a server that
    /// has proved itself alone.
    private static let variables = ["PGSSLMODE": "verify-full", "PGREQUIREAUTH": "!password"]

    /// Sets the variables that the operator has not set, once in a process: before the first session is opened, and so before there is a
    /// thread that could read them.
    static let apply: Void = {
        for (name, value) in variables { _ = unsafe setenv(name, value, 0) }
    }()
}
