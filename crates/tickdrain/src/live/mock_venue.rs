//! A venue in this process: lags, errors, timeouts, partial fills and rate limits, by script or seed.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use model::Decimal;
use model::delta::{Cause, Delta, OperationId, Source};
use model::handshake::{Handshake, HandshakeStatus};
use model::instrument::KeyIx;
use model::interface::{Holding, Submission};
use model::operation::{Amount, Operation};
use model::order::{Refusal, RefusalCode};

use super::clock::{Clock, LocalFuture};
use super::venue::{CallError, LiveVenue};

/// What goes wrong at one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// The call fails before the venue has seen it.
    Error(CallError),
    /// The venue does what it is asked, but its answer is lost.
    AnswerLost,
    /// The answer takes so many milliseconds longer.
    Slow(i64),
    /// The venue has not decided yet; it will have by the next question.
    Pending,
    /// The venue refuses.
    Rejected,
    /// It is tried and fails; gas is paid.
    FailedWithGas,
    /// Half of it is done now; the rest is reported later.
    Half,
    /// Its books show what is done only after so many milliseconds.
    Lag(i64),
}

/// A deterministic venue. It takes supplies of units: from key 0 of its book to key 1.
#[derive(Debug)]
pub struct MockVenue<C> {
    name: Box<str>,
    clock: Rc<C>,
    latency_ms: i64,
    submits: RefCell<VecDeque<Option<Mishap>>>,
    queries: RefCell<VecDeque<Option<Mishap>>>,
    random: Option<Cell<u64>>,
    is_down: Cell<bool>,
    /// Answers by client id: one id is executed once.
    answers: RefCell<BTreeMap<OperationId, Handshake>>,
    /// What is done and from when on the books show it.
    book: RefCell<Vec<(i64, Delta)>>,
    later: RefCell<Vec<Handshake>>,
    /// Calls that reached it: sent, executed, asked for status, asked for holdings.
    pub calls: [Cell<u32>; 4],
}

impl<C: Clock> MockVenue<C> {
    /// A venue that answers orders after `latency_ms` and queries at once, with `initial` units at key 0.
    pub fn new(name: &str, clock: Rc<C>, latency_ms: i64, initial: Decimal) -> Self {
        let start = Delta::new(KeyIx(0), initial, Cause::Initial);
        Self {
            name: name.into(),
            clock,
            latency_ms,
            submits: RefCell::default(),
            queries: RefCell::default(),
            random: None,
            is_down: Cell::new(false),
            answers: RefCell::default(),
            book: RefCell::new(vec![(i64::MIN, start)]),
            later: RefCell::default(),
            calls: Default::default(),
        }
    }

    /// The same with mishaps drawn from a seed: one call in four.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.random = Some(Cell::new(seed));
        self
    }

    /// What goes wrong at the next submissions, one each.
    pub fn script_submits(&self, mishaps: impl IntoIterator<Item = Option<Mishap>>) {
        self.submits.borrow_mut().extend(mishaps);
    }

    /// What goes wrong at the next queries of holdings, one each.
    pub fn script_queries(&self, mishaps: impl IntoIterator<Item = Option<Mishap>>) {
        self.queries.borrow_mut().extend(mishaps);
    }

    /// Cuts the connection, or restores it.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.set(is_down);
    }

    fn draw(&self, of: &RefCell<VecDeque<Option<Mishap>>>, kinds: &[Mishap]) -> Option<Mishap> {
        if let Some(scripted) = of.borrow_mut().pop_front() {
            return scripted;
        }
        let random = self.random.as_ref()?;
        // Splitmix64: enough to be unpredictable to the loop, and the same on any machine.
        random.set(random.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mut bits = random.get();
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let place = usize::try_from(bits % (4 * kinds.len() as u64)).ok()?;
        kinds.get(place).copied()
    }

    fn count(&self, call: usize) {
        self.calls[call].set(self.calls[call].get() + 1);
    }

    /// Executes once per client id; whoever asks again gets the same answer.
    fn execute(
        &self,
        id: OperationId,
        submission: &Submission,
        mishap: Option<Mishap>,
    ) -> Handshake {
        if let Some(known) = self.answers.borrow().get(&id) {
            return known.clone();
        }
        self.count(1);
        let now = self.clock.now();
        let answer = |status| Handshake::without_deltas(id, status, now);
        let refuse = |detail: &str| {
            answer(HandshakeStatus::Rejected)
                .because(Refusal::new(RefusalCode::VenueBalance, detail))
        };
        let amount = match submission {
            Submission::Operation(order) => match order.request.amount {
                Amount::Units(units) => units,
                Amount::Max => self.held(KeyIx(0), i64::MAX),
            },
            Submission::Trade(_) | Submission::Group(_) => return refuse("takes supplies alone"),
        };
        let lag = if let Some(Mishap::Lag(ms)) = mishap { ms } else { 0 };
        let supply = |id, part: Decimal| {
            let deltas = vec![
                Delta::new(KeyIx(0), -part, Cause::Trade),
                Delta::new(KeyIx(1), part, Cause::Trade),
            ];
            Handshake { deltas, ..Handshake::without_deltas(id, HandshakeStatus::Confirmed, now) }
        };
        let said = match mishap {
            Some(Mishap::Rejected) => refuse("said no"),
            Some(Mishap::FailedWithGas) => Handshake {
                deltas: vec![Delta::new(KeyIx(0), -Decimal::ONE, Cause::Gas)],
                source: Source::Fee,
                ..answer(HandshakeStatus::Failed)
            },
            Some(Mishap::Half) => {
                let half = amount / Decimal::TWO;
                let next = OperationId { number: id.number + 1, ..id };
                self.later.borrow_mut().push(supply(next, amount - half));
                supply(id, half)
            }
            _ => supply(id, amount),
        };
        let visible = now.millis() + lag;
        let shown = said.deltas.iter().map(|delta| (visible, delta.clone()));
        self.book.borrow_mut().extend(shown);
        self.answers.borrow_mut().insert(id, said.clone());
        said
    }

    fn held(&self, key: KeyIx, at: i64) -> Decimal {
        let book = self.book.borrow();
        let shown = book.iter().filter(|(visible, delta)| *visible <= at && delta.key == key);
        shown.map(|(_, delta)| delta.amount).sum()
    }

    /// The way to the venue and back, which takes `ms` at least.
    async fn arrive(&self, ms: i64, mishap: Option<Mishap>) -> Result<(), CallError> {
        let slow = if let Some(Mishap::Slow(ms)) = mishap { ms } else { 0 };
        self.clock.sleep(ms + slow).await;
        match mishap {
            Some(Mishap::Error(error)) => Err(error),
            _ if self.is_down.get() => Err(CallError::Unreachable),
            _ => Ok(()),
        }
    }
}

impl<C: Clock> LiveVenue for MockVenue<C> {
    fn name(&self) -> &str {
        &self.name
    }

    fn operations(&self) -> &[Operation] {
        &[Operation::Supply]
    }

    fn submit<'a>(
        &'a self,
        client_id: OperationId,
        submission: &'a Submission,
    ) -> LocalFuture<'a, Result<Handshake, CallError>> {
        Box::pin(async move {
            self.count(0);
            let kinds = [
                Mishap::Error(CallError::RateLimited),
                Mishap::Error(CallError::Unreachable),
                Mishap::AnswerLost,
                Mishap::Pending,
                Mishap::Rejected,
                Mishap::Lag(2_000),
            ];
            let mishap = self.draw(&self.submits, &kinds);
            self.arrive(self.latency_ms, mishap).await?;
            let said = self.execute(client_id, submission, mishap);
            match mishap {
                Some(Mishap::AnswerLost) => Err(CallError::TimedOut),
                Some(Mishap::Pending) => Ok(Handshake::without_deltas(
                    client_id,
                    HandshakeStatus::Pending,
                    self.clock.now(),
                )),
                _ => Ok(said),
            }
        })
    }

    fn status(
        &self,
        client_id: OperationId,
    ) -> LocalFuture<'_, Result<Option<Handshake>, CallError>> {
        Box::pin(async move {
            self.count(2);
            self.arrive(0, None).await?;
            Ok(self.answers.borrow().get(&client_id).cloned())
        })
    }

    fn holdings(&self) -> LocalFuture<'_, Result<Vec<(KeyIx, Holding)>, CallError>> {
        Box::pin(async move {
            self.count(3);
            let error = Mishap::Error(CallError::Unreachable);
            self.arrive(0, self.draw(&self.queries, &[error])).await?;
            let now = self.clock.now().millis();
            let held = |key| (key, Holding { amount: self.held(key, now), ..Holding::default() });
            Ok(vec![held(KeyIx(0)), held(KeyIx(1))])
        })
    }

    fn reports(&self) -> LocalFuture<'_, Result<Vec<Handshake>, CallError>> {
        Box::pin(async move {
            self.arrive(0, None).await?;
            let later = std::mem::take(&mut *self.later.borrow_mut());
            let now = self.clock.now().millis();
            for report in &later {
                let shown = report.deltas.iter().map(|delta| (now, delta.clone()));
                self.book.borrow_mut().extend(shown);
                self.answers.borrow_mut().insert(report.op_id, report.clone());
            }
            Ok(later)
        })
    }

    fn heartbeat(&self) -> LocalFuture<'_, Result<(), CallError>> {
        Box::pin(self.arrive(0, None))
    }
}
