//! The close that orders were decided on (`same_close`, 08 §10.1).

use model::fill::{Liquidity, PriceRule};
use model::frame::Frame;

use super::book::fills;
use super::filling::Offer;
use super::resting::{Behaviour, Stage};
use super::{Exchange, Moment, Step, price_of};
use model::interface::{Desk, Stopped};

impl Exchange {
    /// Fills market orders and marketable limits that were decided at this frame and need no time to
    /// arrive; the others match from the next bar.
    ///
    /// # Errors
    ///
    /// The desk has stopped.
    pub fn match_close(&mut self, frame: &Frame, desk: &mut dyn Desk) -> Result<(), Stopped> {
        let mut decided: Vec<u64> = Vec::new();
        for (book, bar) in self.books.iter().zip(frame.bars()) {
            if fills(bar) {
                decided.extend(&book.traveling);
            }
        }
        decided.sort_unstable();
        for seq in decided {
            let Some(resting) = self.orders.get(&seq) else { continue };
            let Stage::Traveling(arrival) = resting.stage else { continue };
            let is_now = arrival.bars_left == 0 && arrival.not_before <= frame.ts();
            let place = resting.order.instrument;
            let bar = &frame.bars()[place.index()];
            let close = price_of(bar.close);
            let limit = resting.order.pricing.price();
            let takes = match resting.behaviour() {
                Behaviour::Takes => true,
                Behaviour::Limits(price) => {
                    !resting.order.post_only && resting.order.side.accepts(close, price)
                }
                Behaviour::Stops(_) | Behaviour::StopsThenLimits(..) => false,
            };
            let expires = resting.order.expire_at.is_some_and(|last| last < frame.ts());
            if !is_now || !takes || expires {
                continue;
            }
            let rule = if limit.is_some() { PriceRule::LimitClose } else { PriceRule::MarketClose };
            self.open_budget(place, frame);
            self.books[place.index()].traveling.retain(|traveling| *traveling != seq);
            self.arrive(seq);
            self.hold(seq);
            let offer = Offer { px: close, limit, rule, liquidity: Liquidity::Taker };
            let moment = Moment { bar, step: Step::Close, ts: frame.ts() };
            self.take(seq, offer, moment, desk)?;
            self.expire_due(place, frame, desk)?;
        }
        Ok(())
    }
}
