//! A venue that says what a script tells it to, a ledger that counts, and an observer that writes.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;

use expect_test::Expect;
use model::Decimal;
use model::delta::{Cause, Delta, OperationId, Subject};
use model::fill::{Fill, Liquidity, PriceRule};
use model::handshake::{Handshake, HandshakeStatus, VenueReport};
use model::instrument::{Instrument, InstrumentIx, InstrumentTable, KeyIx};
use model::interface::{Desk, ExecutionInterface, Holding, InterfaceError, Submission};
use model::money::{Cash, Price, Quantity};
use model::operation::{Amount, GroupId, Operation, OperationOrder, OperationRequest};
use model::order::{
    Exits, Order, OrderId, OrderSide, OrderUpdate, Origin, Pricing, Refusal, RefusalCode, Size,
    StrategyIx, TimeInForce,
};
use model::reconciliation::{Mismatch, Reconciliation};
use model::snapshot::Reservation;
use model::tight_loop::{ChainCommit, LoopRecord, WalRecord};
use model::time::UtcMillis;
use venues::interfaces::VenueInterfaceManager;

use crate::failure::{BoxError, Incident, SystemFailure};
use crate::manager::ExecutionManager;
use crate::outcome::{Processed, RunStop};
use crate::ports::{Application, LedgerError, LedgerPort, LoopObserver};
use crate::profile::FailedOrderPolicy;

const TS: UtcMillis = UtcMillis::new(3_600_000);
const POOL: &str = "pool";
/// What a group does, one after the other.
const MEMBERS: [Operation; 3] = [Operation::Stake, Operation::Supply, Operation::Borrow];

/// Everything around a manager.
pub(super) struct Bench {
    pub(super) manager: ExecutionManager,
    pub(super) ledger: CountingLedger,
    venues: VenueInterfaceManager,
    script: Rc<RefCell<VecDeque<String>>>,
    sent: Rc<RefCell<u32>>,
    submissions: Vec<Submission>,
    observer: WritingObserver,
    ts: UtcMillis,
}

/// Processes a script of answers and shows what the observer saw, the outcomes and the ending.
pub(super) fn check(policy: FailedOrderPolicy, script: &str, expected: &Expect) {
    let mut bench = Bench::new(policy, script);
    let processed = bench.process();
    let mut table = bench.log();
    for outcome in &processed.outcomes {
        let record = &outcome.record;
        let status = outcome.status().map_or("-", HandshakeStatus::name);
        writeln!(table, "{}: {status}, {} ({})", record.op_id, record.end.name(), record.path)
            .unwrap();
    }
    match processed.ending {
        Ok(()) => table.push_str("goes on\n"),
        Err(stop) => writeln!(table, "ends: {stop}").unwrap(),
    }
    expected.assert_eq(&table);
}

impl Bench {
    pub(super) fn new(policy: FailedOrderPolicy, script: &str) -> Self {
        let mut table = InstrumentTable::new();
        let id = "binance:spot:BTCUSDT".parse().unwrap();
        table.add(Instrument::spot(id, "BTC", "USDT"));
        let script_of_venue = Rc::new(RefCell::new(VecDeque::new()));
        let sent = Rc::default();
        let venue = |takes| -> Box<dyn ExecutionInterface> {
            let (script, sent) = (Rc::clone(&script_of_venue), Rc::clone(&sent));
            Box::new(ScriptedVenue { takes, script, sent })
        };
        let interfaces = vec![venue(("binance", &[Operation::SpotTrade])), venue((POOL, &MEMBERS))];
        let mut bench = Self {
            manager: ExecutionManager::new(policy),
            ledger: CountingLedger::default(),
            venues: VenueInterfaceManager::new(interfaces, &table).unwrap(),
            script: script_of_venue,
            sent,
            submissions: Vec::new(),
            observer: WritingObserver::default(),
            ts: TS,
        };
        bench.submit(script);
        bench
    }

    fn submit(&mut self, script: &str) {
        self.submissions.clear();
        for (number, word) in (1..).zip(script.split_whitespace()) {
            let order_id =
                OrderId { strategy: StrategyIx(u16::from(word == "other_group")), number };
            self.submissions.push(match word {
                "no_route" => Submission::Operation(Arc::new(OperationOrder {
                    order_id,
                    client_order_id: None,
                    request: OperationRequest::new(Operation::Stake, "lido", Amount::Max),
                    ts_decided: self.ts,
                    ts_eligible: self.ts,
                })),
                _ if word.starts_with("group") => group(order_id, self.ts),
                _ => Submission::Trade(Arc::new(order(order_id, self.ts))),
            });
            if word != "no_route" {
                self.script.borrow_mut().push_back(word.to_owned());
            }
        }
    }

    pub(super) fn next_frame(&mut self, script: &str) {
        self.ts = UtcMillis::new(self.ts.millis() + 3_600_000);
        self.script.borrow_mut().clear();
        self.submit(script);
    }

    pub(super) fn process(&mut self) -> Processed {
        self.ledger.script = Rc::clone(&self.script);
        self.manager.process_orders(
            self.ts,
            &self.submissions,
            &mut self.venues,
            &mut self.ledger,
            &mut self.observer,
        )
    }

    pub(super) fn let_move(
        &mut self,
        movement: impl FnOnce(&mut dyn Desk) -> Result<(), InterfaceError>,
    ) -> Result<(), RunStop> {
        self.manager.let_venue_move(self.ts, &mut self.ledger, &mut self.observer, movement)
    }

    /// Loops of order 1, from number 1 on.
    pub(super) fn move_venue(&mut self, words: &[&str]) -> Result<(), RunStop> {
        self.let_move(|desk| {
            for (number, word) in (1..).zip(words) {
                desk.take(VenueReport::Handshake(handshake(word, 1, number)))?;
            }
            Ok(())
        })
    }

    /// Orders that reached the venue.
    pub(super) fn sent(&self) -> u32 {
        *self.sent.borrow()
    }

    pub(super) fn log(&self) -> String {
        self.observer.text.clone()
    }
}

/// A group that is named after the first of its orders.
fn group(first: OrderId, ts: UtcMillis) -> Submission {
    let name = GroupId { strategy: first.strategy, number: first.number };
    let member = |(sequence, operation): (u32, Operation)| {
        let request = OperationRequest::new(operation, POOL, Amount::Units(Decimal::ONE));
        Arc::new(OperationOrder {
            order_id: OrderId { number: 10 * first.number + sequence, ..first },
            client_order_id: None,
            request: request.in_group(name, sequence),
            ts_decided: ts,
            ts_eligible: ts,
        })
    };
    Submission::Group((1..).zip(MEMBERS).map(member).collect())
}

fn order(order_id: OrderId, ts: UtcMillis) -> Order {
    Order {
        order_id,
        client_order_id: None,
        instrument: InstrumentIx(0),
        side: OrderSide::Buy,
        pricing: Pricing::Market,
        tif: TimeInForce::Gtc,
        expire_at: None,
        size: Size::ALL,
        post_only: false,
        reduce_only: false,
        oco_group: None,
        parent: None,
        exits: Exits::default(),
        origin: Origin::Strategy,
        ts_decided: ts,
        ts_eligible: ts,
    }
}

/// The answer that a word stands for.
fn handshake(word: &str, order: u32, number: u32) -> Handshake {
    use HandshakeStatus::{
        Canceled, Confirmed, Expired, Failed, Partial, Pending, Rejected, RolledBack, Working,
    };
    let order_id = OrderId { strategy: StrategyIx(0), number: order };
    let op_id = OperationId { subject: Subject::Order(order_id), number };
    let with = |status, cause: Option<Cause>| {
        let deltas = cause.map(|cause| Delta::new(KeyIx(0), Decimal::ONE, cause));
        let fill = (cause == Some(Cause::Trade)).then(|| Arc::new(fill(order_id)));
        let deltas = deltas.into_iter().collect();
        Handshake { deltas, fill, ..Handshake::without_deltas(op_id, status, TS) }
    };
    let refused = |status, code| with(status, None).because(Refusal::new(code, "said no"));
    match word {
        "partial" => with(Partial, Some(Cause::Trade)),
        "working" => with(Working, None),
        "pending" => with(Pending, None),
        "rejected" => refused(Rejected, RefusalCode::VenueBalance),
        "expired" => refused(Expired, RefusalCode::Expired),
        "canceled" => refused(Canceled, RefusalCode::FillOrKill),
        "canceled_as_asked" => refused(Canceled, RefusalCode::Canceled),
        "failed" => with(Failed, None),
        "failed_gas" => with(Failed, Some(Cause::Gas)),
        "rolled_back" => with(RolledBack, None),
        "group" => Handshake {
            deltas: vec![Delta::new(KeyIx(0), Decimal::ONE, Cause::Trade); MEMBERS.len()],
            ..with(Confirmed, None)
        },
        "rolled_back_gas" | "group_rolled_back" => with(RolledBack, Some(Cause::Gas)),
        "contradiction" => Handshake { status: Working, ..with(Confirmed, Some(Cause::Trade)) },
        _ => with(Confirmed, Some(Cause::Trade)),
    }
}

fn fill(order_id: OrderId) -> Fill {
    Fill {
        trade_id: 1,
        order_id,
        instrument: InstrumentIx(0),
        side: OrderSide::Buy,
        ts: TS,
        last_qty: Quantity(Decimal::ONE),
        last_px: Price::new(Decimal::ONE).unwrap(),
        notional: Cash(Decimal::ONE),
        fee: Cash(Decimal::ZERO),
        fee_key: KeyIx(0),
        liquidity: Liquidity::Taker,
        slippage_bps: 0.0,
        px_ref: Price::new(Decimal::ONE).unwrap(),
        bar_range: None,
        bar_share: None,
        price_rule: PriceRule::MarketOpen,
        cash_value: 1.0,
        realized: Cash(Decimal::ZERO),
        lots: Vec::new(),
        closed: None,
    }
}

/// Says the next word of its script.
#[derive(Debug)]
struct ScriptedVenue {
    takes: (&'static str, &'static [Operation]),
    script: Rc<RefCell<VecDeque<String>>>,
    sent: Rc<RefCell<u32>>,
}

impl ExecutionInterface for ScriptedVenue {
    fn takes(&self) -> (&str, &[Operation]) {
        self.takes
    }

    fn execute(
        &mut self,
        _ts: UtcMillis,
        submission: &Submission,
        desk: &mut dyn Desk,
    ) -> Result<(), InterfaceError> {
        *self.sent.borrow_mut() += 1;
        let word = self.script.borrow().front().cloned().unwrap();
        let op_id = crate::outcome::op_id_of(submission);
        let number = if let Subject::Order(order_id) = op_id.subject { order_id.number } else { 0 };
        let down =
            || InterfaceError::Unreachable { venue: "binance".into(), reason: "down".into() };
        let answer =
            |word: &str| VenueReport::Handshake(Handshake { op_id, ..handshake(word, number, 0) });
        let said = match &*word {
            "unreachable" => Err(down()),
            "silent" => Ok(()),
            "wrong_answer" => {
                Ok(desk.take(VenueReport::Handshake(handshake("confirmed", 9, 0)))?)
            }
            "breaks_down" => {
                desk.take(answer("confirmed"))?;
                Err(down())
            }
            "confirmed+later" => {
                desk.take(answer("confirmed"))?;
                desk.take(VenueReport::Handshake(handshake("working", 8, 1)))?;
                Ok(desk.take(VenueReport::Handshake(handshake("canceled_as_asked", 9, 1)))?)
            }
            word => Ok(desk.take(answer(word))?),
        };
        self.script.borrow_mut().pop_front();
        said
    }
}

/// Counts what it is asked, and fails where the script says so.
#[derive(Default)]
pub(super) struct CountingLedger {
    pub(super) applied: u32,
    pub(super) compared: u32,
    pub(super) chains: u32,
    script: Rc<RefCell<VecDeque<String>>>,
}

impl CountingLedger {
    fn is(&self, word: &str) -> bool {
        self.script.borrow().front().is_some_and(|front| front == word)
    }
}

impl LedgerPort for CountingLedger {
    fn apply(&mut self, _handshake: &mut Handshake) -> Result<Application, LedgerError> {
        if self.is("apply_error") {
            return Err(LedgerError::Invalid("a negative balance".into()));
        }
        self.applied += 1;
        Ok(Application::Applied)
    }

    fn query_real(&mut self) -> Result<(), InterfaceError> {
        if self.is("query_error") {
            let (venue, reason) = ("binance".into(), "stale".into());
            return Err(InterfaceError::Unreachable { venue, reason });
        }
        Ok(())
    }

    fn reconcile(&mut self) -> Reconciliation {
        self.compared += 1;
        let held = Holding { amount: Decimal::ONE, cost: Decimal::ZERO };
        let mismatch = Mismatch {
            key: KeyIx(0),
            simulated: held,
            real: Holding::default(),
            tolerance: Decimal::ZERO,
        };
        let mismatches = if self.is("mismatch") { vec![mismatch] } else { Vec::new() };
        Reconciliation { compared: 2, mismatches }
    }

    fn run_chain(&mut self, _ts: UtcMillis) -> Result<ChainCommit, BoxError> {
        if self.is("chain_error") {
            return Err("no price".into());
        }
        self.chains += 1;
        Ok(ChainCommit(self.chains.into()))
    }
}

/// Writes a line of everything.
#[derive(Default)]
struct WritingObserver {
    text: String,
}

impl LoopObserver for WritingObserver {
    fn record(&mut self, record: WalRecord<'_>) {
        writeln!(self.text, "{} {}", record.stage().name(), record.op_id).unwrap();
    }

    fn update(&mut self, update: Arc<OrderUpdate>) {
        let code = update.refusal.as_ref().map_or("-", |refusal| refusal.code.name());
        let number = update.order_id.number;
        writeln!(self.text, "update {number} {} {code}", update.status.name()).unwrap();
    }

    fn locked(&mut self, order_id: OrderId, _reserved: Reservation) {
        writeln!(self.text, "locked {}", order_id.number).unwrap();
    }

    fn finished(&mut self, record: &LoopRecord) {
        writeln!(self.text, "loop {} {}", record.op_id, record.end.name()).unwrap();
    }

    fn incident(&mut self, incident: Incident) {
        let Incident { code, class, op_id, .. } = incident;
        writeln!(self.text, "{} {code} {op_id}", class.severity().name()).unwrap();
    }

    fn failed(&mut self, failure: &SystemFailure) {
        writeln!(self.text, "CRITICAL {failure}").unwrap();
    }
}
