//! What workspaces may use and what it costs: plans with limits, subscriptions as events, prices with dates, and the
//! budget that is asked before anything is spent. Must not know nodes or routes.

mod budget;
mod catalogue;
mod prices;
mod room;
mod subscriptions;

pub use budget::{Allowance, Spend};
pub use catalogue::{Plan, PlanFields, PlanPeriod, UNLIMITED};
pub use prices::{NewPrice, Price};
pub(crate) use room::Place;
pub use subscriptions::{Subscription, SubscriptionChange, SubscriptionStatus};
