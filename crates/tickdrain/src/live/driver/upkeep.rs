//! Upkeep between orders: heartbeats, refreshes, and what venues have done on their own.

use std::rc::Rc;

use execution::failure::{Component, SystemFailure};
use execution::ports::{LedgerPort, LoopObserver};
use execution::tight_loop::Event;
use model::delta::{OperationId, Subject};
use model::handshake::Handshake;
use model::time::UtcMillis;

use super::super::clock::{Clock, within};
use super::super::venue::CallError;
use super::super::wal::WalPort;
use super::{LiveDriver, Progress};

/// A refresh belongs to no operation of its own.
const REFRESH: OperationId = OperationId { subject: Subject::Initial, number: 0 };

impl<C: Clock, L: LedgerPort, W: WalPort, O: LoopObserver> LiveDriver<C, L, W, O> {
    /// Asks all venues what they hold and have done, and values the account (D26).
    ///
    /// Nothing is retried: a venue that is away, or a drift, is an incident.
    ///
    /// # Errors
    ///
    /// What a venue has done on its own could not be booked.
    pub async fn refresh(&mut self) -> Result<(), SystemFailure> {
        self.heartbeat().await;
        for place in 0..self.venues.len() {
            let venue = Rc::clone(&self.venues[place].0);
            match venue.reports().await {
                Ok(reports) => {
                    for report in reports {
                        self.take_report(report).await?;
                    }
                }
                Err(error) => self.warn(error),
            }
        }
        if let Err(error) = self.query_venues().await {
            self.warn(error.1);
            return Ok(());
        }
        let now = self.clock.now();
        self.has_drifted = self.ledger.query_real().is_ok() && !self.ledger.reconcile().is_match();
        if self.has_drifted {
            self.note("REC-DRIFT", Component::Reconcile, REFRESH);
        }
        if self.ledger.run_chain(now).is_err() {
            self.note("EXEC-CHAIN", Component::Exposure, REFRESH);
        }
        Ok(())
    }

    /// Refreshes at each interval until an instant; the refresh at the start is the caller's.
    ///
    /// # Errors
    ///
    /// As for one refresh.
    pub async fn refresh_until(&mut self, end: UtcMillis) -> Result<u32, SystemFailure> {
        let mut next = self.clock.now().millis() + self.settings.refresh_ms;
        let mut refreshes = 0;
        while next <= end.millis() {
            self.clock.sleep(next - self.clock.now().millis()).await;
            self.refresh().await?;
            refreshes += 1;
            next += self.settings.refresh_ms;
        }
        Ok(refreshes)
    }

    /// Asks every venue whether it is there; orders for those that are not are blocked.
    pub async fn heartbeat(&mut self) {
        let limit = self.settings.retry.reconcile_timeout_ms;
        for place in 0..self.venues.len() {
            let venue = Rc::clone(&self.venues[place].0);
            let beats = within(&*self.clock, limit, venue.heartbeat()).await;
            if matches!(beats, Ok(Ok(()))) {
                self.down.remove(venue.name());
            } else {
                self.down.insert(venue.name().into());
                self.note("VEN-HEARTBEAT", Component::Execute, REFRESH);
            }
        }
    }

    /// A loop that a venue has begun.
    async fn take_report(&mut self, report: Handshake) -> Result<(), SystemFailure> {
        self.rest();
        let op_id = report.op_id;
        let step = self.machine.on(Event::Report, self.clock.now());
        let progress = Progress { handshake: Some(report), ..Progress::default() };
        self.drive(op_id, None, step, progress).await.1.map_or(Ok(()), Err)
    }

    /// What every venue holds, into the caches that the position monitor reads.
    pub(super) async fn query_venues(&self) -> Result<(), (Box<str>, CallError)> {
        let query = async {
            for (venue, cache) in &self.venues {
                let held =
                    venue.holdings().await.map_err(|error| (Box::from(venue.name()), error))?;
                cache.keep(held);
            }
            Ok(())
        };
        let limit = self.settings.retry.reconcile_timeout_ms;
        let timed_out = |_| Err((Box::from("a venue"), CallError::TimedOut));
        within(&*self.clock, limit, query).await.unwrap_or_else(timed_out)
    }

    fn warn(&mut self, error: CallError) {
        let code = if error == CallError::RateLimited { "VEN-RATE" } else { "VEN-UNREACHABLE" };
        self.note(code, Component::QueryReal, REFRESH);
    }
}
