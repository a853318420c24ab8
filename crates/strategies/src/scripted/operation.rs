//! Cells of operations that are no trades.

use std::sync::Arc;

use model::instrument::KeyIx;
use model::operation::{Amount, Operation, OperationRequest};

use super::cells::{Cells, MOST_UNITS, TIME, TRADE_ONLY, number, time};
use super::row::{Action, OperationTerms, Row, Terms};

const AMOUNT: &str = "an amount of up to 10^12, or max";

/// What some take for the absence of a group: a group of that name would be executed as one (02 §3.6).
const INDIVIDUAL: &str = "individual";

impl Cells<'_> {
    /// The row of an operation; `None` if something is wrong with its cells.
    pub(super) fn operation_row(&mut self) -> Option<Row> {
        let operation = self.word("operation", &Operation::ALL, Operation::name)?;
        self.must_be_empty(TRADE_ONLY, "an empty cell: only trades have it");
        let decide_ts = self.required("decide_ts", TIME, time);
        if !["", Action::Submit.name()].contains(&&*self.text("action").to_lowercase()) {
            self.wrong(
                "action",
                "submit or an empty cell: operations are neither canceled nor replaced",
            );
        }
        let order_id = self.label("order_id");
        let request = self.operation_request(operation);
        let slot = self.slot();
        if !self.faults.is_empty() {
            return None;
        }
        Some(Row {
            line: self.line,
            decide_ts: decide_ts?,
            order_id,
            action: Action::Submit,
            terms: Terms::default(),
            operation: Some(OperationTerms { request: request?, slot }),
        })
    }

    /// The request as it stands: refusing it is the gate's business.
    fn operation_request(&mut self, operation: Operation) -> Option<OperationRequest> {
        let amount = self.required("amount", AMOUNT, amount);
        let (source, target) = (self.key("source_key"), self.key("target_key"));
        let venue = self.operation_venue(operation, source);
        let min_out = self.number("min_out");
        let token = |cell: Option<Arc<str>>| cell.map(|token| Box::from(&*token));
        let (token_in, token_out) = (token(self.label("token_in")), token(self.label("token_out")));
        let request = OperationRequest::new(operation, &venue?, amount?);
        Some(OperationRequest { token_in, token_out, source, target, min_out, ..request })
    }

    /// The venue; of a transfer that names none, that of its source.
    fn operation_venue(&mut self, operation: Operation, source: Option<KeyIx>) -> Option<Arc<str>> {
        let venue = self.label("venue");
        if venue.is_some() || operation != Operation::Transfer {
            if venue.is_none() {
                self.wrong("venue", "the venue of the operation");
            }
            return venue;
        }
        let venue = source.map(|source| self.names.instruments.key(source).venue());
        Some(venue.unwrap_or_default().into())
    }

    fn key(&mut self, column: &str) -> Option<KeyIx> {
        let instruments = self.names.instruments;
        self.optional(column, "a position key of the run", |text| {
            instruments.keys().find(|(_, key)| key.as_str() == text).map(|(place, _)| place)
        })
    }

    /// A group and a place in it: one says nothing without the other.
    fn slot(&mut self) -> Option<(Arc<str>, u32)> {
        let sequence =
            self.optional("sequence", "a whole number, 1 for the first of its group", |text| {
                text.parse::<u32>().ok()
            });
        let group = self.label("atomic_group");
        if group.as_ref().is_some_and(|group| group.eq_ignore_ascii_case(INDIVIDUAL)) {
            self.wrong("atomic_group", "an empty cell for an operation that stands alone");
            return None;
        }
        match (&group, self.text("sequence").is_empty()) {
            (Some(_), true) => self.wrong("sequence", "its place in the atomic group, from 1"),
            (None, false) => self.wrong("atomic_group", "the group that the sequence is about"),
            (Some(_), false) | (None, true) => {}
        }
        Some((group?, sequence?))
    }
}

/// Any amount, whatever its sign: what is too small is the gate's to say.
fn amount(text: &str) -> Option<Amount> {
    if text.eq_ignore_ascii_case("max") {
        return Some(Amount::Max);
    }
    number(text, MOST_UNITS).map(Amount::Units)
}
