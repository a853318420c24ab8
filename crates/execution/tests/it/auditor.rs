//! A third book: kept from what the bus says alone, and compared with ours at every snapshot.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;

use engine::delivery::Outbox;
use engine::service::{BacktestService, RunOutcome, ServiceReport};
use model::Decimal;
use model::delta::Source;
use model::event::{Envelope, Payload, Topic};
use model::fill::{Fill, PriceRule};
use model::instrument::KeyIx;
use model::key::PositionType;
use model::order::{OrderSide, Verdict};
use model::settlement::{Settlement, SettlementKind};
use model::snapshot::AccountSnapshot;
use model::tight_loop::{LoopEnd, LoopRecord};

use crate::world::{World, transfer_fee};

/// What was found, for the test that runs it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Findings {
    pub(crate) counts: BTreeMap<&'static str, u64>,
    /// The first violation of a law.
    pub(crate) fault: Option<String>,
    /// Largest part of the capital that a pass or the run so far left unexplained.
    pub(crate) unexplained: f64,
    /// Over everything that was published, to the last digit.
    pub(crate) digest: u64,
}

#[derive(Debug)]
pub(crate) struct Auditor {
    world: Rc<World>,
    findings: Rc<RefCell<Findings>>,
    /// Initial balances and all deltas, by key.
    by_key: Vec<Decimal>,
    /// Initial balances and what fills, funding and fees of transfers say, by asset.
    by_asset: BTreeMap<String, Decimal>,
    holders: BTreeMap<String, Vec<KeyIx>>,
    hasher: DefaultHasher,
}

impl Auditor {
    pub(crate) fn new(world: Rc<World>, findings: Rc<RefCell<Findings>>) -> Self {
        let mut by_key = vec![Decimal::ZERO; world.instruments.keys().count()];
        let (mut by_asset, mut holders) = (BTreeMap::new(), BTreeMap::new());
        for (place, amount) in &world.initial {
            let asset = world.instruments.key(*place).symbol().to_owned();
            by_key[place.index()] += *amount;
            *by_asset.entry(asset.clone()).or_default() += *amount;
            holders.entry(asset).or_insert_with_key(|asset| world.holders(asset));
        }
        Self { world, findings, by_key, by_asset, holders, hasher: DefaultHasher::new() }
    }

    fn count(&self, what: &'static str) {
        *self.findings.borrow_mut().counts.entry(what).or_default() += 1;
    }

    fn require(&self, holds: bool, law: impl FnOnce() -> String) {
        if !holds {
            self.findings.borrow_mut().fault.get_or_insert_with(law);
        }
    }

    fn add(&mut self, key: KeyIx, amount: Decimal) {
        let asset = self.world.instruments.key(key).symbol();
        *self.by_asset.get_mut(asset).expect("an asset of the world") += amount;
    }

    fn take_loop(&mut self, record: &LoopRecord) {
        self.require(record.diffs.is_empty(), || format!("{}: {:?}", record.op_id, record.diffs));
        self.require(record.end != LoopEnd::SystemFailure, || format!("{} failed", record.op_id));
        if record.attempts.compare > 0 {
            self.count("loops that compared");
        }
        let Some(handshake) = record.handshake.as_ref().filter(|_| record.applied) else { return };
        self.require(record.compared > 0, || format!("{} was not compared", record.op_id));
        let mut sum = BTreeMap::new();
        for delta in &handshake.deltas {
            self.by_key[delta.key.index()] += delta.amount;
            let asset = self.world.instruments.key(delta.key).symbol();
            *sum.entry(asset).or_insert(Decimal::ZERO) += delta.amount;
        }
        if handshake.source == Source::Transfer {
            self.count("transfers");
            let lost: Vec<_> = sum.into_iter().collect();
            let asset = lost.first().map_or("", |(asset, _)| asset);
            let expected = [(asset, -transfer_fee(asset))];
            self.require(lost == expected, || format!("{}: {lost:?} is lost", record.op_id));
            let (key, fee) = (handshake.deltas[0].key, transfer_fee(asset));
            self.add(key, -fee);
        }
    }

    /// What a fill says of itself, without its deltas.
    fn take_fill(&mut self, fill: &Fill) {
        let world = Rc::clone(&self.world);
        let table = &world.instruments;
        let is_perp = table.instrument(fill.instrument).is_perpetual();
        let cash = table.cash_key(fill.instrument);
        self.count(if is_perp { "fills of perpetuals" } else { "fills of spot" });
        if fill.price_rule == PriceRule::Liquidation {
            self.count("liquidations");
        }
        self.add(fill.fee_key, -fill.fee.0);
        if is_perp {
            self.add(cash, fill.realized.0);
            return;
        }
        let sign = if fill.side == OrderSide::Buy { Decimal::ONE } else { -Decimal::ONE };
        self.add(table.base_key(fill.instrument), sign * fill.last_qty.0);
        self.add(cash, -sign * fill.notional.0);
    }

    fn take_settlement(&mut self, settlement: &Settlement) {
        for delta in &settlement.deltas {
            self.by_key[delta.key.index()] += delta.amount;
        }
        if settlement.kind == SettlementKind::Funding {
            self.count("fundings");
            self.add(settlement.paid_to, settlement.amount);
        } else {
            self.count("arrivals");
        }
    }

    fn take_account(&mut self, account: &AccountSnapshot) {
        self.count("snapshots");
        let ts = account.ts();
        let balances = &account.book.balances;
        for (place, key) in self.world.instruments.keys() {
            let (found, expected) = (balances[place.index()], self.by_key[place.index()]);
            self.require(found == expected, || format!("{ts}: {key} is {found}, not {expected}"));
            let is_owned = key.kind() != PositionType::Transit || found >= Decimal::ZERO;
            self.require(is_owned, || format!("{ts}: {key} is {found}"));
        }
        for (asset, holders) in &self.holders {
            let found: Decimal = holders.iter().map(|key| balances[key.index()]).sum();
            let expected = self.by_asset[asset];
            self.require(found == expected, || format!("{ts}: {found} {asset}, not {expected}"));
        }
        let pnl = &account.chain.pnl;
        for figures in [&pnl.step, &pnl.cumulative] {
            let share = figures.unexplained.abs() / pnl.initial.abs();
            let largest = &mut self.findings.borrow_mut().unexplained;
            *largest = largest.max(share);
        }
        let [equity, total] = [account.equity - pnl.initial, pnl.cumulative.total];
        let is_same = (equity - total).abs() <= 1e-12 * pnl.initial;
        self.require(is_same, || format!("{ts}: equity has grown by {equity}, not {total}"));
        account.equity.to_bits().hash(&mut self.hasher);
        pnl.cumulative.attribution.0.map(f64::to_bits).hash(&mut self.hasher);
    }
}

impl BacktestService for Auditor {
    type Error = Infallible;

    const CLOSES_TICKS: bool = false;

    fn name(&self) -> &'static str {
        "auditor"
    }

    fn topics(&self) -> &'static [Topic] {
        &[
            Topic::Verdict,
            Topic::OrderUpdate,
            Topic::Fill,
            Topic::TightLoop,
            Topic::Settlement,
            Topic::Account,
        ]
    }

    fn handle(&mut self, envelope: &Envelope, _: &mut Outbox) -> Result<(), Infallible> {
        match &envelope.payload {
            Payload::TightLoop(record) => self.take_loop(record),
            Payload::Fill(fill) => self.take_fill(fill),
            Payload::Settlement(settlement) => self.take_settlement(settlement),
            Payload::Account(account) => self.take_account(account),
            Payload::OrderUpdate(update) => self.count(update.status.name()),
            Payload::Verdict(group) => {
                for verdict in &group.verdicts {
                    match verdict {
                        Verdict::Accepted(_) => self.count("accepted orders"),
                        Verdict::OperationAccepted(_) => self.count("accepted transfers"),
                        Verdict::Denied { .. } => self.count("denied orders"),
                        Verdict::CancelAccepted(_)
                        | Verdict::ReplaceAccepted(_)
                        | Verdict::ReplaceDenied { .. } => self.count("changes"),
                    }
                }
            }
            Payload::Frame(_)
            | Payload::Intent(_)
            | Payload::Alert(_)
            | Payload::Decision(_)
            | Payload::Control(_)
            | Payload::Custom(_) => {}
        }
        if !matches!(envelope.payload, Payload::Account(_)) {
            format!("{:?}", envelope.payload).hash(&mut self.hasher);
        }
        Ok(())
    }

    fn finish(&mut self, _: &RunOutcome) -> Result<ServiceReport, Infallible> {
        self.findings.borrow_mut().digest = self.hasher.finish();
        Ok(ServiceReport::new("auditor"))
    }
}
