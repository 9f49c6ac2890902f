/// What a statement means for the transactions round it.
enum StatementRole: Equatable {
    case ordinary
    /// Sets what kind of transaction it is in, which PostgreSQL takes only before the first query: sent along with BEGIN where it is first.
    case setsTransaction
    /// PostgreSQL refuses it inside a transaction block. `what` names it in messages.
    case alone(what: String)
    /// PostgreSQL refuses it inside a transaction block for some states of the database: alone where the choice is ours.
    case ratherAlone
    /// ALTER TYPE … ADD VALUE: ordinary, but the value cannot be used before its transaction has ended.
    case addsValue(String)
    /// COPY … FROM STDIN: ordinary, where its rows follow.
    case copiesIn
    /// The file's own BEGIN or START TRANSACTION; `options` where it has any.
    case begin(options: Bool)
    /// COMMIT or END; `chain` where a transaction like the one that ends follows at once (COMMIT AND CHAIN).
    case commit(chain: Bool)
    /// ROLLBACK: ends a block without what it did.
    case rollback
    /// SAVEPOINT and what goes back to one or gives it up.
    case savepoint
    /// Cannot be run unattended.
    case refused(message: String, hint: String)

    /// What to do about transaction control that a migration cannot have.
    static let ownBlockHint =
        "The file runs in a transaction that is committed with its record: a block of its own is BEGIN … COMMIT."
}
