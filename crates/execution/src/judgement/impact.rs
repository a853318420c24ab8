//! What a group of orders would do to the account, and whether that may happen (04 §6.4).

use std::rc::Rc;
use std::sync::Arc;

use ledger::chain::{Chain, ChainError};
use ledger::exposure::{ExposureError, ExposureTerms};
use ledger::pnl::Strictness;
use ledger::risk::RiskTerms;
use model::impact::{AccountFigures, GroupImpact};
use model::instrument::InstrumentTable;
use model::market::DataProvider;
use model::money::Quantity;
use model::order::{Order, OrderId, Refusal, RefusalCode, Verdict};
use model::risk::{RiskImpact, RiskReading, RiskSnapshot, RiskType, impacts};
use model::snapshot::{AccountBook, AccountSnapshot};
use venues::fees::FeeModel;

use crate::execution_service::ExecutionSettings;

mod expected;
mod legs;

use expected::{ExpectedTrade, Market};
use legs::Legs;

/// By what the impact of orders is judged.
#[derive(Clone, Debug)]
pub struct ImpactTerms {
    /// Market data, shared with whoever values the account.
    pub market: Rc<DataProvider>,
    /// In what exposure is stated.
    pub exposure: ExposureTerms,
    /// The ladder, and the types that deny.
    pub risk: RiskTerms,
    /// Largest delta on the way through a group, as a share of equity (`max_leg_delta`).
    pub max_leg_delta: f64,
}

impl ImpactTerms {
    /// The account valued as in `settings`, in the same market.
    pub fn new(
        settings: &ExecutionSettings,
        market: &Rc<DataProvider>,
        max_leg_delta: f64,
    ) -> Self {
        Self {
            market: Rc::clone(market),
            exposure: settings.exposure.clone(),
            risk: settings.risk.clone(),
            max_leg_delta,
        }
    }
}

/// Judges groups of orders on a copy of the account, after what was accepted since the snapshot
/// (D80). Orders of earlier ticks that still rest are left out.
#[derive(Debug)]
pub(crate) struct ImpactJudge {
    instruments: Rc<InstrumentTable>,
    fees: Vec<Rc<dyn FeeModel>>,
    chain: Chain,
    max_leg_delta: f64,
    /// Whether two instruments of the run can hedge each other.
    has_hedges: bool,
    share_class: Box<str>,
    /// The copy; its memory is kept.
    book: AccountBook,
    /// What is expected of orders accepted since the snapshot, oldest first.
    accepted: Vec<ExpectedTrade>,
    /// The same of the group that is judged, in its order.
    group: Vec<ExpectedTrade>,
    /// The account after `accepted`; `None` while it is that of the snapshot.
    standing: Option<Standing>,
}

/// What is compared.
#[derive(Clone, Copy, Debug)]
struct Standing {
    risk: RiskSnapshot,
    figures: AccountFigures,
}

/// The judgement of a group.
#[derive(Debug, Default)]
pub(crate) struct GroupJudgement {
    pub(crate) impact: Option<Arc<GroupImpact>>,
    /// Why all of its orders are denied, if they are.
    pub(crate) refusal: Option<Refusal>,
}

impl ImpactJudge {
    pub(crate) fn new(
        instruments: &Rc<InstrumentTable>,
        fees: Vec<Rc<dyn FeeModel>>,
        terms: ImpactTerms,
    ) -> Self {
        let ImpactTerms { market, exposure, risk, max_leg_delta } = terms;
        let share_class = exposure.share_class.clone();
        let chain = Chain::new(instruments, &market, exposure, risk, Strictness::Lenient);
        let layout = chain.exposure.layout();
        let asset = |place| layout.asset(instruments.base_key(place));
        let has_hedges = instruments.instruments().any(|(place, _)| {
            let mut others = instruments.instruments().filter(|(other, _)| *other != place);
            asset(place).is_some() && others.any(|(other, _)| asset(other) == asset(place))
        });
        Self {
            instruments: Rc::clone(instruments),
            fees,
            chain,
            max_leg_delta,
            has_hedges,
            share_class,
            book: AccountBook::default(),
            accepted: Vec::new(),
            group: Vec::new(),
            standing: None,
        }
    }

    /// Forgets what was accepted: a snapshot knows of it now.
    pub(crate) fn clear(&mut self) {
        self.accepted.clear();
        self.standing = None;
    }

    /// Judges the orders that the verdicts of a group would let through; `filled` says what a
    /// replaced one has had.
    ///
    /// Without an enabled type nothing is computed, but for groups whose orders may hedge each other.
    ///
    /// # Errors
    ///
    /// The market is no longer that of the account, or a risk is not a number.
    pub(crate) fn judge(
        &mut self,
        account: &AccountSnapshot,
        verdicts: &[Verdict],
        filled: impl Fn(OrderId) -> Quantity,
    ) -> Result<GroupJudgement, ChainError> {
        let is_enabled = !self.chain.risk.limits().enabled.is_empty();
        if !is_enabled && !self.has_hedges {
            return Ok(GroupJudgement::default());
        }
        self.stage(account, verdicts, filled);
        let legs = self.legs(account);
        if self.group.is_empty() || !is_enabled && legs.is_none() {
            self.accept();
            return Ok(GroupJudgement::default());
        }
        let before = self.standing.unwrap_or_else(|| Standing {
            risk: *account.chain.risk,
            figures: AccountFigures::of(&account.chain.exposure),
        });
        let after = match self.preview(account, &before) {
            Ok(after) => after,
            Err(ChainError::Exposure(
                error @ (ExposureError::NoPrice { .. } | ExposureError::NoPath { .. }),
            )) => {
                let refusal = Refusal::new(RefusalCode::NoPrice, error.to_string());
                return Ok(GroupJudgement { impact: None, refusal: Some(refusal) });
            }
            Err(error) => return Err(error),
        };
        let denial = self.denial(&before, &after);
        let refusal = match (&denial, &legs) {
            (Some(denial), _) => Some(refusal_of(denial)),
            (None, Some(legs)) => legs.refusal(self.max_leg_delta),
            (None, None) => None,
        };
        let mut impact = self.impact(account, verdicts.len(), &before, &after);
        impact.binding = denial.or(impact.binding);
        impact.leg_delta = legs.map(|legs| legs.largest);
        if refusal.is_none() {
            self.accept();
            self.standing = Some(after);
        }
        Ok(GroupJudgement { impact: Some(Arc::new(impact)), refusal })
    }

    /// Puts what is expected of all orders on the copy of the book.
    fn stage(
        &mut self,
        account: &AccountSnapshot,
        verdicts: &[Verdict],
        filled: impl Fn(OrderId) -> Quantity,
    ) {
        let Self { instruments, fees, book, accepted, group, .. } = self;
        let (instruments, fees) = (&**instruments, &**fees);
        book.balances.clone_from(&account.book.balances);
        book.positions.clone_from(&account.book.positions);
        book.costs.clone_from(&account.book.costs);
        group.clear();
        let granted = || verdicts.iter().enumerate().filter_map(|(n, it)| Some((n, it.order()?)));
        // The last terms of an order are the ones that it may fill at.
        let is_asked = |order_id| granted().any(|(_, order)| order.order_id == order_id);
        for trade in accepted.iter().filter(|trade| !is_asked(trade.order_id)) {
            trade.apply(book, instruments);
        }
        for (number, order) in granted() {
            let mut later = granted().skip_while(|(other, _)| *other <= number);
            let is_replaced = later.any(|(_, other)| other.order_id == order.order_id);
            let mut others = accepted.iter().chain(&*group);
            let is_alternative = order.oco_group.is_some()
                && others
                    .any(|it| it.oco_group == order.oco_group && it.order_id != order.order_id);
            if is_replaced || is_alternative {
                continue;
            }
            let market = Market { instruments, fees, account, book };
            let trade = market.expected(number, order, filled(order.order_id));
            if let Some(trade) = trade {
                trade.apply(book, instruments);
                group.push(trade);
            }
        }
    }

    /// Takes the staged group for accepted.
    fn accept(&mut self) {
        let Self { accepted, group, .. } = self;
        accepted.retain(|old| group.iter().all(|new| new.order_id != old.order_id));
        accepted.append(group);
    }

    fn legs(&self, account: &AccountSnapshot) -> Option<Legs> {
        if !self.has_hedges || self.group.len() < 2 {
            return None;
        }
        let scene = (&self.chain, &*self.instruments, &*self.share_class);
        Legs::of(account, &self.accepted, &self.group, scene)
    }

    /// The account with what is staged.
    fn preview(
        &mut self,
        account: &AccountSnapshot,
        before: &Standing,
    ) -> Result<Standing, ChainError> {
        let mut risk = self.chain.preview(account.ts(), &self.book)?;
        let figures = AccountFigures::of(self.chain.exposure.staged());
        // The peak is known to the account's own chain alone, and follows from what that says.
        let kind = RiskType::Drawdown;
        if let (Some(drawdown), true) = (before.risk.reading(kind), before.figures.equity > 0.0) {
            let value = 1.0 - (1.0 - drawdown.value) * figures.equity / before.figures.equity;
            let ladder = self.chain.risk.limits().ladder(kind);
            let level = ladder.map(|ladder| ladder.level(value)).unwrap_or_default();
            let distance = ladder.and_then(|ladder| ladder.distance(value));
            let binding = drawdown.binding;
            risk.readings[kind.index()] = Some(RiskReading { value, level, distance, binding });
        }
        Ok(Standing { risk, figures })
    }

    /// The first enabled metric that denies.
    fn denial(&self, before: &Standing, after: &Standing) -> Option<RiskImpact> {
        let enabled = self.chain.risk.limits().enabled;
        // A drawdown is no reason to stay exposed: the fee of an exit makes it no worse.
        let grows = after.figures.gross > before.figures.gross;
        impacts(&before.risk, &after.risk).find(|impact| {
            enabled.has(impact.metric)
                && impact.denies()
                && (grows || impact.metric != RiskType::Drawdown)
        })
    }

    fn impact(
        &self,
        account: &AccountSnapshot,
        requests: usize,
        before: &Standing,
        after: &Standing,
    ) -> GroupImpact {
        let enabled = self.chain.risk.limits().enabled;
        let metrics: Vec<RiskImpact> = impacts(&before.risk, &after.risk).collect();
        let known = metrics.iter().rev();
        let known = known.filter(|it| enabled.has(it.metric) && it.after.is_some());
        let binding = known.max_by_key(|impact| impact.level_after).copied();
        let mut costs = vec![None; requests];
        let mut positions: Vec<_> = Vec::with_capacity(2 * self.group.len());
        for trade in &self.group {
            costs[trade.number] = Some(trade.cost(account, &self.instruments));
            for (key, change) in trade.changes {
                match positions.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, net)) => *net += change,
                    None => positions.push((key, change)),
                }
            }
        }
        positions.retain(|(_, net)| !net.is_zero());
        let (before, after) = (before.figures, after.figures);
        GroupImpact { positions, before, after, metrics, binding, leg_delta: None, costs }
    }
}

fn refusal_of(denial: &RiskImpact) -> Refusal {
    let told =
        |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |it| format!("{it:.6}"));
    let detail = format!(
        "{} from {} to {}, which is {}",
        denial.metric.name(),
        told(denial.before),
        told(denial.after),
        denial.level_after.name()
    );
    Refusal::new(RefusalCode::Impact, detail)
}

/// Whether an order only ends a position, and not at once: until then it is no relief, and nothing
/// that it does afterwards opens one.
pub(super) fn waits_to_reduce(order: &Order, is_marketable: bool) -> bool {
    order.reduce_only && (order.parent.is_some() || !is_marketable)
}
