//! Records on their way to the writer thread: columns of what happens every tick, and the rest.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use model::Decimal;
use model::event::{Control, Custom, Envelope, Payload};
use model::exposure::AssetExposure;
use model::fill::Fill;
use model::instrument::KeyIx;
use model::order::{IntentGroup, OrderUpdate, VerdictGroup};
use model::pnl::PnlFigures;
use model::risk::{RiskAlert, RiskSnapshot, RiskTypes};
use model::settlement::Settlement;
use model::snapshot::AccountSnapshot;
use model::strategy::{Action, Condition, Decision, Pattern};
use model::tight_loop::LoopRecord;
use model::time::UtcMillis;

use super::chain_watch::Extremes;

/// Everything recorded between two commits.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) frames: FrameColumns,
    pub(crate) accounts: AccountColumns,
    pub(crate) decisions: DecisionColumns,
    /// What does not happen every tick, in order of `seq`.
    pub(crate) rare: Vec<Rare>,
    pub(crate) positions: Vec<PositionRow>,
    pub(crate) chain: Vec<ChainRow>,
    pub(crate) extremes: Extremes,
    /// Place and time of the first and last envelope.
    pub(crate) first: Option<(u64, UtcMillis)>,
    pub(crate) last: Option<(u64, UtcMillis)>,
}

#[derive(Debug, Default)]
pub(crate) struct FrameColumns {
    pub(crate) seq: Vec<u64>,
    pub(crate) ts: Vec<i64>,
    pub(crate) bars: Vec<u16>,
    pub(crate) is_warmup: Vec<bool>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct AccountColumns {
    pub(crate) seq: Vec<u64>,
    pub(crate) ts: Vec<i64>,
    pub(crate) cause_seq: Vec<u64>,
    pub(crate) equity: Vec<f64>,
    pub(crate) cash: Vec<f64>,
    pub(crate) gross: Vec<f64>,
    pub(crate) net: Vec<f64>,
    pub(crate) unrealized: Vec<f64>,
    pub(crate) working_orders: Vec<u32>,
    /// Frames before the start of the run, which have no row in the results.
    pub(crate) warmup_rows: usize,
}

#[derive(Debug, Default)]
pub(crate) struct DecisionColumns {
    pub(crate) seq: Vec<u64>,
    pub(crate) ts: Vec<i64>,
    pub(crate) cause_seq: Vec<u64>,
    pub(crate) publisher: Vec<u16>,
    pub(crate) actions: Vec<Action>,
    pub(crate) patterns: Vec<Pattern>,
    /// All reasons in one text, and where each ends.
    /// Of the rows that have some, by place.
    pub(crate) conditions: Vec<(usize, String)>,
    pub(crate) reasons: String,
    pub(crate) reason_ends: Vec<i32>,
}

/// A record that does not happen every tick.
#[derive(Debug)]
pub(crate) struct Rare {
    pub(crate) seq: u64,
    pub(crate) ts: UtcMillis,
    pub(crate) cause_seq: Option<u64>,
    pub(crate) publisher: u16,
    pub(crate) event: RareEvent,
}

#[derive(Debug)]
pub(crate) enum RareEvent {
    Intent(Arc<IntentGroup>),
    Verdict(Arc<VerdictGroup>),
    OrderUpdate(Arc<OrderUpdate>),
    Fill(Arc<Fill>),
    TightLoop(Arc<LoopRecord>),
    Settlement(Arc<Settlement>),
    Alert(RiskAlert),
    Control(Control),
    Custom(Arc<Custom>),
}

/// A balance or position that changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PositionRow {
    pub(crate) ts: UtcMillis,
    pub(crate) key: KeyIx,
    pub(crate) quantity: Decimal,
    /// Quantity times index.
    pub(crate) amount: Decimal,
    /// In share class; absent where nothing priced it yet.
    pub(crate) value: Option<f64>,
}

/// What the chain says of the account at one frame.
#[derive(Clone, Debug)]
pub(crate) struct ChainRow {
    /// That of the snapshot.
    pub(crate) seq: u64,
    pub(crate) ts: UtcMillis,
    pub(crate) in_log: bool,
    pub(crate) in_results: bool,
    pub(crate) equity_exit: f64,
    pub(crate) leverage: f64,
    pub(crate) delta_share: f64,
    /// By the places of the exposure's layout.
    pub(crate) assets: Box<[AssetExposure]>,
    pub(crate) risk: RiskSnapshot,
    /// Types that drive actions.
    pub(crate) enabled: RiskTypes,
    /// Equity at the start, after the warm-up.
    pub(crate) initial: f64,
    /// Since then.
    pub(crate) pnl: PnlFigures,
}

impl Records {
    /// Records with room for `ticks` ticks, so that the columns of every tick do not grow.
    pub(crate) fn for_ticks(ticks: usize) -> Self {
        Self {
            frames: FrameColumns {
                seq: Vec::with_capacity(ticks),
                ts: Vec::with_capacity(ticks),
                bars: Vec::with_capacity(ticks),
                is_warmup: Vec::with_capacity(ticks),
            },
            accounts: AccountColumns {
                seq: Vec::with_capacity(ticks),
                ts: Vec::with_capacity(ticks),
                cause_seq: Vec::with_capacity(ticks),
                equity: Vec::with_capacity(ticks),
                cash: Vec::with_capacity(ticks),
                gross: Vec::with_capacity(ticks),
                net: Vec::with_capacity(ticks),
                unrealized: Vec::with_capacity(ticks),
                working_orders: Vec::with_capacity(ticks),
                warmup_rows: 0,
            },
            decisions: DecisionColumns {
                seq: Vec::with_capacity(ticks),
                ts: Vec::with_capacity(ticks),
                cause_seq: Vec::with_capacity(ticks),
                publisher: Vec::with_capacity(ticks),
                actions: Vec::with_capacity(ticks),
                patterns: Vec::with_capacity(ticks),
                conditions: Vec::new(),
                reasons: String::new(),
                reason_ends: Vec::with_capacity(ticks),
            },
            ..Self::default()
        }
    }

    /// Number of ticks with a frame.
    pub(crate) fn ticks(&self) -> usize {
        self.frames.seq.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// Whether the engine's word of a failure is among them.
    pub(crate) fn tell_of_failure(&self) -> bool {
        let failed =
            |event: &RareEvent| matches!(event, RareEvent::Control(Control::Failed { .. }));
        self.rare.iter().any(|rare| failed(&rare.event))
    }

    /// Adds a failure that came after the last envelope.
    pub(crate) fn add_failure(&mut self, seq: u64, message: &str) {
        let ts = self.last.map(|(_, ts)| ts).unwrap_or_default();
        let event = RareEvent::Control(Control::Failed {
            service: "engine".into(),
            message: message.into(),
        });
        self.first.get_or_insert((seq, ts));
        self.last = Some((seq, ts));
        self.rare.push(Rare { seq, ts, cause_seq: None, publisher: 0, event });
    }

    /// Takes one envelope.
    pub(crate) fn take(&mut self, envelope: &Envelope) {
        let place = (envelope.seq, envelope.ts);
        self.first.get_or_insert(place);
        self.last = Some(place);
        let event = match &envelope.payload {
            Payload::Frame(frame) => {
                let bars = frame.bars().iter();
                let is_there = |bar: &&model::frame::Bar| bar.kind != model::frame::BarKind::Absent;
                self.frames.seq.push(envelope.seq);
                self.frames.ts.push(envelope.ts.millis());
                self.frames
                    .bars
                    .push(u16::try_from(bars.filter(is_there).count()).unwrap_or(u16::MAX));
                self.frames.is_warmup.push(frame.is_warmup());
                return;
            }
            Payload::Account(account) => return self.accounts.push(envelope, account),
            Payload::Decision(decision) => return self.decisions.push(envelope, decision),
            Payload::Intent(group) => RareEvent::Intent(Arc::clone(group)),
            Payload::Verdict(group) => RareEvent::Verdict(Arc::clone(group)),
            Payload::OrderUpdate(update) => RareEvent::OrderUpdate(Arc::clone(update)),
            Payload::Fill(fill) => RareEvent::Fill(Arc::clone(fill)),
            Payload::TightLoop(record) => RareEvent::TightLoop(Arc::clone(record)),
            Payload::Settlement(settlement) => RareEvent::Settlement(Arc::clone(settlement)),
            Payload::Alert(alert) => RareEvent::Alert(*alert),
            Payload::Control(control) => RareEvent::Control(control.clone()),
            Payload::Custom(custom) => RareEvent::Custom(Arc::clone(custom)),
        };
        self.rare.push(Rare {
            seq: envelope.seq,
            ts: envelope.ts,
            cause_seq: envelope.cause_seq,
            publisher: envelope.publisher.0,
            event,
        });
    }
}

impl AccountColumns {
    /// One snapshot per frame: the last one, where fills at the close made a second (`same_close`).
    pub(crate) fn per_frame(&self) -> Cow<'_, Self> {
        // All snapshots of a frame are in one commit, one behind the other.
        if self.ts.windows(2).all(|pair| pair[0] != pair[1]) {
            return Cow::Borrowed(self);
        }
        let is_last: Vec<bool> = (1..=self.ts.len())
            .map(|next| self.ts.get(next).is_none_or(|ts| *ts != self.ts[next - 1]))
            .collect();
        let dropped = is_last[..self.warmup_rows].iter().filter(|last| !**last).count();
        Cow::Owned(Self {
            seq: chosen(&self.seq, &is_last),
            ts: chosen(&self.ts, &is_last),
            cause_seq: chosen(&self.cause_seq, &is_last),
            equity: chosen(&self.equity, &is_last),
            cash: chosen(&self.cash, &is_last),
            gross: chosen(&self.gross, &is_last),
            net: chosen(&self.net, &is_last),
            unrealized: chosen(&self.unrealized, &is_last),
            working_orders: chosen(&self.working_orders, &is_last),
            warmup_rows: self.warmup_rows - dropped,
        })
    }

    fn push(&mut self, envelope: &Envelope, account: &AccountSnapshot) {
        self.seq.push(envelope.seq);
        self.ts.push(envelope.ts.millis());
        self.cause_seq.push(envelope.cause_seq.unwrap_or(0));
        self.equity.push(account.equity);
        self.cash.push(account.cash);
        self.gross.push(account.gross);
        self.net.push(account.net);
        self.unrealized.push(account.unrealized);
        self.working_orders.push(u32::try_from(account.book.working.len()).unwrap_or(u32::MAX));
        if account.frame.is_warmup() {
            self.warmup_rows += 1;
        }
    }
}

fn chosen<T: Copy>(values: &[T], is_chosen: &[bool]) -> Vec<T> {
    values.iter().zip(is_chosen).filter(|(_, chosen)| **chosen).map(|(value, _)| *value).collect()
}

/// Conditions in a line: `name value threshold yes; ...`.
fn shown(conditions: &[Condition]) -> String {
    let mut text = String::new();
    for Condition { name, value, threshold, passed } in conditions {
        let separator = if text.is_empty() { "" } else { "; " };
        let passed = if *passed { "yes" } else { "no" };
        let written = write!(text, "{separator}{name} {value} {threshold} {passed}");
        written.expect("a text takes what is written");
    }
    text
}

impl DecisionColumns {
    fn push(&mut self, envelope: &Envelope, decision: &Decision) {
        self.seq.push(envelope.seq);
        self.ts.push(envelope.ts.millis());
        self.cause_seq.push(envelope.cause_seq.unwrap_or(0));
        self.publisher.push(envelope.publisher.0);
        self.actions.push(decision.action);
        self.patterns.push(decision.pattern);
        self.reasons.push_str(&decision.reason);
        let end = i32::try_from(self.reasons.len());
        self.reason_ends.push(end.expect("the reasons of one commit are less than 2 GiB"));
        if !decision.conditions.is_empty() {
            self.conditions.push((self.seq.len() - 1, shown(&decision.conditions)));
        }
    }
}
