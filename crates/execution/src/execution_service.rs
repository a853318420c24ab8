//! The one service that executes: venues, ledger and the manager between them.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use engine::delivery::Outbox;
use engine::service::{BacktestService, RunOutcome, RunStatus, ServiceReport};
pub use ledger::LedgerError;
pub use ledger::chain::ChainError;
pub use ledger::exposure::{ExposureError, ExposureTerms};
pub use ledger::pnl::Strictness;
pub use ledger::risk::RiskTerms;
use ledger::{LedgerSetup, PositionUpdateHandler, RealSource, ReconciliationComponent};
use model::Decimal;
use model::event::{Control, Envelope, Payload, Topic};
use model::frame::Frame;
use model::instrument::{Instrument, InstrumentIx, InstrumentTable, KeyIx};
use model::interface::{Holding, InterfaceError};
use model::key::PositionKey;
use model::ladder::RiskLevel;
use model::market::DataProvider;
use model::money::Price;
use model::numeric::decimal_of;
use model::order::{Order, Verdict, VerdictGroup};
use model::settlement::NoMark;
use model::time::{Interval, UtcMillis};
use venues::books::{SharedBooks, VenueBooks};
use venues::cex::{SharedExchange, SimulatedCex};
use venues::exchange::{Exchange, ExchangeSettings};
use venues::interfaces::{
    FactoryError, NoCredentials, RouteError, VenueAdapter, VenueInterfaceFactory,
    VenueInterfaceManager,
};
use venues::transfer::{Route, TransferInterface};

use crate::fault_injection::FaultScript;
use crate::manager::ExecutionManager;
use crate::narrator::{Counts, Narrator};
use crate::operations::Operations;
use crate::outcome::RunStop;
use crate::profile::FailedOrderPolicy;
use crate::snapshots::Snapshots;

/// Where a backtest takes real positions from (D24).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RealSourceKind {
    /// The venues' own books.
    #[default]
    SimulatorLedger,
    /// A copy of ours, which can never disagree.
    Copy,
}

/// How orders are executed.
#[derive(Clone, Debug)]
pub struct ExecutionSettings {
    /// How exchanges fill them.
    pub exchange: ExchangeSettings,
    /// Whether orders may fill at the close that they were decided on; prone to look-ahead.
    pub same_close: bool,
    /// What an operation that was tried and failed does to the orders after it.
    pub on_failed_order: FailedOrderPolicy,
    /// Where real positions come from.
    pub real_source: RealSourceKind,
    /// Ways of transfers between venues.
    pub transfers: Vec<Route>,
    /// In what exposure is stated; its currency is that of equity.
    pub exposure: ExposureTerms,
    /// By what risk is judged.
    pub risk: RiskTerms,
    /// Whether unexplained profit ends the run.
    pub strictness: Strictness,
    /// Whether a critical risk ends the run, rather than calls for emergency plans.
    pub stops_on_critical: bool,
}

/// Executes accepted orders one at a time and publishes an account snapshot per frame.
///
/// With `same_close` a tick in which orders were accepted has a second snapshot, after a pass at the
/// close (08 §10.1).
#[derive(Debug)]
pub struct ExecutionService {
    pub(crate) instruments: Rc<InstrumentTable>,
    pub(crate) interval: Interval,
    pub(crate) market: Rc<DataProvider>,
    pub(crate) ledger: PositionUpdateHandler,
    pub(crate) manager: ExecutionManager,
    pub(crate) venues: VenueInterfaceManager,
    pub(crate) exchange: SharedExchange,
    pub(crate) books: SharedBooks,
    same_close: bool,
    pub(crate) stops_on_critical: bool,
    close: ClosePass,
    snapshots: Snapshots,
    pub(crate) operations: Operations,
    /// Perpetuals whose open profit is paid out every day.
    pub(crate) settled_daily: Vec<InstrumentIx>,
    /// Until when margins have been settled.
    pub(crate) margins_until: Option<UtcMillis>,
    pub(crate) counts: Counts,
    /// Why the run has to end once the frame is finished.
    pub(crate) stop: Option<RunStop>,
}

/// Whether orders may still fill at the close of the present frame.
#[derive(Debug, Default)]
enum ClosePass {
    /// They may not, or have.
    #[default]
    Over,
    /// They may, once one is accepted.
    Possible(Frame),
    /// They will, after all verdicts of this cycle.
    Announced(Frame),
}

/// Why execution ends the run.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum ExecutionError {
    #[error("our book cannot be kept")]
    Ledger(#[from] LedgerError),

    #[error("a venue cannot settle")]
    Settlement(#[from] NoMark),

    #[error("a venue cannot be asked")]
    Interface(#[from] InterfaceError),

    #[error("the venues of the run do not fit together")]
    Factory(#[from] FactoryError),

    #[error("the venues of the run do not fit together")]
    Route(#[from] RouteError),

    #[error(transparent)]
    Stop(RunStop),

    #[error(
        "REC-MISMATCH: after {what} of {ts} we believe {simulated} at {key} and the venue says {real}, {difference} apart"
    )]
    Mismatch {
        what: String,
        ts: UtcMillis,
        key: PositionKey,
        simulated: Decimal,
        real: Decimal,
        difference: Decimal,
    },
}

impl From<RunStop> for ExecutionError {
    fn from(stop: RunStop) -> Self {
        Self::Stop(stop)
    }
}

impl ExecutionService {
    /// A service that trades on an account with `initial` balances and moves `market` on.
    ///
    /// # Errors
    ///
    /// An initial balance that nothing in the run prices.
    pub fn new(
        instruments: Rc<InstrumentTable>,
        settings: ExecutionSettings,
        market: Rc<DataProvider>,
        initial: &[(KeyIx, Decimal)],
    ) -> Result<Self, ExecutionError> {
        let ExecutionSettings { exchange, same_close, on_failed_order, .. } = settings;
        let interval = exchange.interval;
        let books = SharedBooks::new(VenueBooks::new(Rc::clone(&instruments), &held(initial)));
        let exchange = Exchange::new(Rc::clone(&instruments), exchange, books.clone());
        let exchange = SharedExchange::new(exchange);
        let adapters = adapters(&instruments, &exchange, &books);
        let factory = VenueInterfaceFactory::new(adapters, NoCredentials)?;
        let transfers = TransferInterface::new(settings.transfers, None, books.clone());
        let mut interfaces = factory.execution_interfaces();
        interfaces.push(Box::new(transfers));
        let ledger = PositionUpdateHandler::new(LedgerSetup {
            instruments: Rc::clone(&instruments),
            market: Rc::clone(&market),
            exposure: settings.exposure,
            risk: settings.risk,
            strictness: settings.strictness,
            interval,
            initial,
            real: match settings.real_source {
                RealSourceKind::SimulatorLedger => {
                    RealSource::Venues(factory.position_interfaces())
                }
                RealSourceKind::Copy => RealSource::Copy,
            },
            reconciliation: ReconciliationComponent::exact(&instruments),
        })?;
        let settled_daily = settled_daily(&instruments);
        Ok(Self {
            ledger,
            manager: ExecutionManager::new(on_failed_order),
            venues: VenueInterfaceManager::new(interfaces, &instruments)?,
            exchange,
            books,
            market,
            interval,
            instruments,
            same_close,
            stops_on_critical: settings.stops_on_critical,
            close: ClosePass::Over,
            snapshots: Snapshots::default(),
            operations: Operations::default(),
            settled_daily,
            margins_until: None,
            counts: Counts::default(),
            stop: None,
        })
    }

    /// The same with failures and mistakes that a script asks for.
    #[must_use]
    pub fn with_faults(mut self, faults: FaultScript) -> Self {
        self.manager = self.manager.with_faults(faults);
        self
    }

    /// What the venues hold, shared with them: a test makes a venue err in it.
    pub const fn venue_books(&self) -> &SharedBooks {
        &self.books
    }

    /// Orders that were decided on this close and need no time to arrive fill at it.
    fn on_close(&mut self, outbox: &mut Outbox) -> Result<(), ExecutionError> {
        let ClosePass::Announced(frame) = std::mem::take(&mut self.close) else { return Ok(()) };
        self.fill_at_close(&frame, outbox)?;
        self.ledger.run_chain(frame.ts())?;
        self.publish_snapshot(&frame, outbox);
        self.stop.take().map_or(Ok(()), |stop| Err(stop.into()))
    }

    /// Everything that a frame brings about (D55).
    fn on_frame(&mut self, frame: &Frame, outbox: &mut Outbox) -> Result<(), ExecutionError> {
        self.execute_frame(frame, outbox)?;
        if self.same_close {
            self.close = ClosePass::Possible(frame.clone());
        }
        self.publish_snapshot(frame, outbox);
        self.stop.take().map_or(Ok(()), |stop| Err(stop.into()))
    }

    fn publish_snapshot(&mut self, frame: &Frame, outbox: &mut Outbox) {
        let mut critical = None;
        // Every risk is recorded; only those that the run acts on are news.
        for alert in self.ledger.judge().iter().filter(|alert| alert.is_enabled) {
            outbox.publish(Payload::Alert(*alert));
            if alert.after == RiskLevel::Critical {
                critical = critical.or(Some(alert.kind.name()));
            }
        }
        if let Some(cause) = critical {
            self.on_breaker(frame.ts(), cause);
        }
        let snapshot = self.snapshots.take(frame, &self.market, &self.ledger);
        outbox.publish(Payload::Account(snapshot));
    }

    /// Sends what the gate has granted on its way to the venues.
    fn on_verdicts(
        &mut self,
        group: &VerdictGroup,
        outbox: &mut Outbox,
    ) -> Result<(), ExecutionError> {
        let mut sent = false;
        for verdict in &group.verdicts {
            match verdict {
                Verdict::Accepted(order) => {
                    self.send(order, outbox)?;
                    sent = true;
                }
                Verdict::OperationAccepted(operation) => {
                    let seq = self.exchange.read(Exchange::last_seq);
                    self.operations.push(seq, Arc::clone(operation));
                }
                Verdict::CancelAccepted(cancel) => {
                    self.exchange.work(|exchange| exchange.cancel(*cancel));
                }
                Verdict::ReplaceAccepted(order) => {
                    self.exchange.work(|exchange| exchange.replace(order));
                }
                Verdict::Denied { .. } | Verdict::ReplaceDenied { .. } => {}
            }
        }
        if sent && let ClosePass::Possible(frame) = &self.close {
            // To this service itself, so that all verdicts of the cycle come before the pass.
            self.close = ClosePass::Announced(frame.clone());
            outbox.publish(Payload::Control(Control::ClosePass));
        }
        Ok(())
    }

    fn send(&mut self, order: &Arc<Order>, outbox: &mut Outbox) -> Result<(), ExecutionError> {
        let last_px = self.last_px(order.instrument).expect("the gate wants a price");
        let exchange = self.exchange.clone();
        let mut sent = None;
        self.let_venue_move(order.ts_eligible, outbox, |desk| {
            sent = exchange.work(|exchange| exchange.send(order, last_px, desk))?;
            Ok(())
        })?;
        if let Some(reserved) = sent {
            self.ledger.accept_order(Arc::clone(order), reserved);
        }
        Ok(())
    }

    fn last_px(&self, instrument: InstrumentIx) -> Option<Price> {
        let close = self.market.present().close(instrument);
        close.and_then(decimal_of).and_then(Price::new)
    }
}

impl<'a> Narrator<'a> {
    pub(crate) const fn new(outbox: &'a mut Outbox, counts: &'a mut Counts) -> Self {
        Self { outbox, counts }
    }
}

/// What the run starts with, as venues hold it.
fn held(initial: &[(KeyIx, Decimal)]) -> Vec<(KeyIx, Holding)> {
    let holding = |amount: Decimal| Holding { amount, ..Holding::default() };
    initial.iter().map(|(key, amount)| (*key, holding(*amount))).collect()
}

/// Perpetuals of venues that pay open profit out every day.
fn settled_daily(instruments: &InstrumentTable) -> Vec<InstrumentIx> {
    let is_settled = |known: &Instrument| known.settles_daily && known.is_perpetual();
    let daily = instruments.instruments().filter(|(_, known)| is_settled(known));
    daily.map(|(place, _)| place).collect()
}

/// One simulated exchange per venue of the run's keys.
fn adapters(
    instruments: &InstrumentTable,
    exchange: &SharedExchange,
    books: &SharedBooks,
) -> Vec<Box<dyn VenueAdapter>> {
    let venues: BTreeSet<&str> = instruments.keys().map(|(_, key)| key.venue()).collect();
    let adapter = |venue: &str| {
        let cex = SimulatedCex::new(venue, exchange.clone(), books.clone());
        Box::new(cex) as Box<dyn VenueAdapter>
    };
    venues.into_iter().map(adapter).collect()
}

impl BacktestService for ExecutionService {
    type Error = ExecutionError;

    const CLOSES_TICKS: bool = false;

    fn name(&self) -> &'static str {
        "execution"
    }

    fn topics(&self) -> &'static [Topic] {
        if self.same_close {
            &[Topic::Frame, Topic::Verdict, Topic::Control]
        } else {
            &[Topic::Frame, Topic::Verdict]
        }
    }

    fn handle(&mut self, envelope: &Envelope, outbox: &mut Outbox) -> Result<(), Self::Error> {
        if let Payload::Frame(frame) = &envelope.payload {
            self.on_frame(frame, outbox)?;
        }
        if let Payload::Verdict(group) = &envelope.payload {
            self.on_verdicts(group, outbox)?;
        }
        if let Payload::Control(Control::ClosePass) = &envelope.payload {
            self.on_close(outbox)?;
        }
        Ok(())
    }

    fn finish(&mut self, outcome: &RunOutcome) -> Result<ServiceReport, Self::Error> {
        if outcome.status != RunStatus::Failed {
            // Nothing is compared after the last operation otherwise.
            let ts = self.market.present().ts;
            self.require_agreement("the last frame", ts)?;
        }
        let working = self.exchange.read(Exchange::open_orders);
        let working = i64::try_from(working).unwrap_or(i64::MAX);
        Ok(ServiceReport::new("execution")
            .with("fills", self.counts.fills)
            .with("reconciliations", self.counts.reconciliations)
            .with("liquidations", self.counts.liquidations)
            .with("health", self.manager.health_now().name())
            .with("working", working))
    }
}
