//! Money and everything else that is counted against a limit: accounts, and transfers of double entry that are only ever
//! appended. A balance is the sum of the entries of an account; nothing here is changed afterwards, and both databases
//! refuse it. Must not know plans, prices or what a workflow does.
//!
//! - [`NewTransfer`] and `post` write: one transaction, books locked in the order of their names.
//! - `read` sums and lists; `closings` are immutable sums on the way, so that sums stay short.
//! - `holds` put aside before an effect and settle or release afterwards, each once.
//! - `verify` recomputes everything.

mod account;
mod credits;
mod holds;
mod post;
mod read;
mod seal;
mod verify;

pub use account::{Account, AccountKind, DEFAULT_CURRENCY};
pub(crate) use account::{book, check_currency, scope_of};
pub use credits::CreditMove;
pub use holds::{Charge, Hold, HoldEnd, HoldState, NewHold, Quota};
pub use post::{Line, NewTransfer, Posted, Transfer};
pub use read::{Balance, Entry};
pub use verify::{LedgerProblem, LedgerReport};
