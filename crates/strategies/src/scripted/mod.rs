//! Replays a list of requests from a file, so that published examples run without writing code.
//!
//! What the gate refuses is no fault of the file: it goes there as it was asked for and becomes a
//! denied order. What cannot be read is one, and all of them are reported at once.

mod cells;
mod file;
mod operation;
mod row;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Decimal;
use model::frame::MarketView;
use model::numeric::float_of;
use model::operation::GroupId;
use model::order::{OcoGroup, OrderId, OrderRequest, Verdict};
use model::parameter::{ParameterError, ParameterKind, ParameterSpec};
use model::snapshot::AccountSnapshot;
use model::strategy::{
    Condition, Decision, OrderDesk, Strategy, StrategyError, StrategyKind, StrategySetup,
};
use model::time::UtcMillis;

use file::Script;
use row::{Action, OperationTerms, Row, Terms};

/// Decides what its file says, at the frames that its file names.
#[derive(Clone, Debug)]
pub struct Scripted {
    /// The file, for messages.
    path: PathBuf,
    /// In the order of their decisions.
    rows: Vec<Row>,
    next: usize,
    /// The frame before the present one.
    last_frame: Option<UtcMillis>,
    /// Orders that other rows name; `None` until they are submitted.
    named: BTreeMap<Arc<str>, Option<Named>>,
    groups: BTreeMap<Arc<str>, OcoGroup>,
    /// Atomic groups of the present frame: all members of a group are decided at once.
    atomic_groups: BTreeMap<Arc<str>, GroupId>,
    /// Replaces that the gate has not answered yet, oldest first.
    asked: VecDeque<(OrderId, Terms)>,
    /// Terms of orders that have been replaced.
    replaced: BTreeMap<OrderId, Terms>,
}

/// An order that other rows name.
#[derive(Clone, Copy, Debug)]
struct Named {
    order_id: OrderId,
    /// Place of the row that submits it.
    row: usize,
}

const PARAMETERS: &[ParameterSpec] = &[ParameterSpec {
    name: "orders",
    kind: ParameterKind::File,
    unit: "",
    default: None,
    doc: "CSV of requests: decide_ts, order_id, action, instrument, side, type, qty, …",
}];

/// A row whose time is not the time of a frame, found while running.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{path} line {line}: decide_ts {decide_ts} is not the time of a frame; {nearest}",
    path = .path.display()
)]
pub struct NoSuchFrame {
    path: PathBuf,
    line: u64,
    decide_ts: UtcMillis,
    nearest: String,
}

impl StrategyKind for Scripted {
    const SUMMARY: &'static str = "Replays the requests of a CSV file.";

    fn parameters() -> &'static [ParameterSpec] {
        PARAMETERS
    }

    fn build(setup: &StrategySetup<'_>) -> Result<Self, ParameterError> {
        let Script { rows, named } = file::read(setup.parameters.text("orders"), setup.instruments)
            .map_err(ParameterError::new)?;
        Ok(Self {
            path: setup.parameters.path("orders").to_owned(),
            rows,
            next: 0,
            last_frame: None,
            named: named.into_iter().map(|order_id| (order_id, None)).collect(),
            groups: BTreeMap::new(),
            atomic_groups: BTreeMap::new(),
            asked: VecDeque::new(),
            replaced: BTreeMap::new(),
        })
    }
}

impl Strategy for Scripted {
    fn decide(
        &mut self,
        market: MarketView<'_>,
        _account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        let first = self.next;
        self.atomic_groups.clear();
        while let Some(row) = self.rows.get(self.next).filter(|row| row.decide_ts <= market.ts()) {
            if row.decide_ts < market.ts() {
                let nearest = match self.last_frame {
                    Some(last) => format!("the frames around it are {last} and {}", market.ts()),
                    None => format!("the first frame is {}", market.ts()),
                };
                return Err(row.missed(&self.path, nearest).into());
            }
            self.ask(self.next, orders);
            self.next += 1;
        }
        self.last_frame = Some(market.ts());
        Ok(if self.next > first { Decision::trade("scripted") } else { Decision::HOLD })
    }

    fn conditions(&self, market: MarketView<'_>, _account: &AccountSnapshot) -> Vec<Condition> {
        let next = self.rows.iter().find(|row| row.decide_ts >= market.ts());
        let wait = next.map_or(f64::INFINITY, |row| {
            float_of(Decimal::from(row.decide_ts.millis() - market.ts().millis())) / 60_000.0
        });
        let name = "minutes to the next row";
        vec![Condition { name, value: wait, threshold: 0.0, passed: wait <= 0.0 }]
    }

    fn on_verdict(&mut self, verdict: &Verdict) {
        let (order_id, is_granted) = match verdict {
            Verdict::ReplaceAccepted(order) => (order.order_id, true),
            Verdict::ReplaceDenied { order_id, .. } => (*order_id, false),
            Verdict::Accepted(_)
            | Verdict::OperationAccepted(_)
            | Verdict::Denied { .. }
            | Verdict::CancelAccepted(_) => return,
        };
        let place = self.asked.iter().position(|(asked, _)| *asked == order_id);
        if let Some((order_id, terms)) = place.and_then(|place| self.asked.remove(place))
            && is_granted
        {
            self.replaced.insert(order_id, terms);
        }
    }

    fn on_end(&mut self) -> Result<(), StrategyError> {
        let Some(row) = self.rows.get(self.next) else { return Ok(()) };
        let nearest = match self.last_frame {
            Some(last) => format!("the last frame is {last}"),
            None => "there is no frame".to_owned(),
        };
        Err(row.missed(&self.path, nearest).into())
    }
}

impl Scripted {
    /// Asks for what the row at `place` says.
    fn ask(&mut self, place: usize, orders: &mut OrderDesk<'_>) {
        let row = &self.rows[place];
        if let Some(operation) = row.operation.clone() {
            let order_id = row.order_id.clone();
            self.operate(operation, order_id, orders);
            return;
        }
        match row.action {
            Action::Submit => {
                let terms = row.terms.clone();
                let order_id = row.order_id.clone();
                let request = self.request(&terms, order_id.clone(), orders);
                let submitted = orders.submit(request);
                // The first order of a name is meant by it; a venue takes no second one.
                if let Some(named) = order_id.and_then(|order_id| self.named.get_mut(&order_id)) {
                    named.get_or_insert(Named { order_id: submitted, row: place });
                }
            }
            Action::Cancel => orders.cancel(self.target(row).order_id),
            Action::Replace => {
                let target = self.target(row);
                let terms = row.terms.over(self.terms_of(target));
                let request = self.request(&terms, row.order_id.clone(), orders);
                orders.replace(target.order_id, request);
                self.asked.push_back((target.order_id, terms));
            }
        }
    }

    fn operate(
        &mut self,
        operation: OperationTerms,
        client_order_id: Option<Arc<str>>,
        orders: &mut OrderDesk<'_>,
    ) {
        let OperationTerms { mut request, slot } = operation;
        if let Some((label, sequence)) = slot {
            let group = *self.atomic_groups.entry(label).or_insert_with(|| orders.atomic_group());
            request = request.in_group(group, sequence);
        }
        orders.operate_as(request, client_order_id);
    }

    /// The order that a row cancels or replaces.
    fn target(&self, row: &Row) -> Named {
        let order_id = row.order_id.as_ref().expect("the file was checked for it");
        self.submitted(order_id)
    }

    fn submitted(&self, order_id: &str) -> Named {
        self.named
            .get(order_id)
            .copied()
            .flatten()
            .expect("the file was checked: every order is submitted before another row names it")
    }

    /// The terms that an order has, replaces of this tick included.
    fn terms_of(&self, order: Named) -> &Terms {
        let asked = self.asked.iter().rfind(|(order_id, _)| *order_id == order.order_id);
        asked
            .map(|(_, terms)| terms)
            .or_else(|| self.replaced.get(&order.order_id))
            .unwrap_or_else(|| &self.rows[order.row].terms)
    }

    fn request(
        &mut self,
        terms: &Terms,
        client_order_id: Option<Arc<str>>,
        orders: &mut OrderDesk<'_>,
    ) -> OrderRequest {
        let group = |label: &Arc<str>| {
            *self.groups.entry(Arc::clone(label)).or_insert_with(|| orders.oco_group())
        };
        let oco_group = terms.oco_group.as_ref().map(group);
        let parent = terms.parent.as_ref().map(|parent| self.submitted(parent).order_id);
        terms.request(client_order_id, oco_group, parent)
    }
}

impl Row {
    fn missed(&self, path: &Path, nearest: String) -> NoSuchFrame {
        NoSuchFrame { path: path.to_owned(), line: self.line, decide_ts: self.decide_ts, nearest }
    }
}
