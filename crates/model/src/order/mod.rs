//! Orders: what a strategy wants, what the gate lets through, and how it ends.

mod id;
mod intent;
mod refusal;
mod request;
mod status;
mod terms;
mod validated;
mod verdict;

pub use id::{OcoGroup, OrderId, StrategyIx};
pub use intent::{IntentGroup, OperationIntent, OrderIntent, Origin, Request};
pub use refusal::{Refusal, RefusalCode};
pub use request::OrderRequest;
pub use status::{OrderStatus, OrderUpdate};
pub use terms::{Level, OrderSide, OrderType, ParseSizeError, Size, TimeInForce, Trail};
pub use validated::{CancelOrder, Exit, Exits, Order, Pricing};
pub use verdict::{Verdict, VerdictGroup};
