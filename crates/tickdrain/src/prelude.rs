//! What a strategy or a service of one's own needs.

pub use engine::delivery::{Delivery, Inbox, Outbox};
pub use engine::service::{BacktestService, RunOutcome, RunStatus, ServiceReport};
pub use model::Decimal;
pub use model::event::{Control, Custom, Envelope, Payload, Scalar, Topic};
pub use model::fill::Fill;
pub use model::frame::{Bar, MarketView};
pub use model::instrument::{InstrumentIx, InstrumentTable};
pub use model::money::{Bps, Cash, Price, Quantity};
pub use model::numeric::decimal_of;
pub use model::operation::{Amount, AtomicSlot, GroupId, Operation, OperationRequest};
pub use model::order::{
    IntentGroup, Level, OcoGroup, OrderId, OrderIntent, OrderRequest, OrderSide, OrderStatus,
    OrderType, OrderUpdate, Request, Size, StrategyIx, TimeInForce, Trail, Verdict,
};
pub use model::parameter::{
    ParameterError, ParameterFault, ParameterKind, ParameterSpec, Parameters,
};
pub use model::pnl::{Attribution, PnlComponent, PnlFigures, PnlSnapshot};
pub use model::snapshot::AccountSnapshot;
pub use model::strategy::{
    Action, Condition, Decision, InstructionSequence, OnFail, OrderDesk, Pattern, SequenceStep,
    StepWait, Strategy, StrategyError, StrategyKind, StrategySetup,
};
pub use model::time::{Interval, UtcMillis};
pub use venues::fees::{FeeModel, Tariff, Trade};
pub use venues::latency::{Latency, LatencyModel, OrderDraw};
pub use venues::participation::ParticipationModel;
pub use venues::path::{BarPath, PathModel};
pub use venues::slippage::{SlippageModel, Taking};

pub use crate::app::{App, ServiceSetup};
pub use crate::backtest::{Backtest, Report};
pub use crate::error::BacktestError;
