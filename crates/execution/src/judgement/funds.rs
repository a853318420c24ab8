//! Rule 8: what is free covers what an order may need.

use model::Decimal;
use model::instrument::KeyIx;
use model::money::Quantity;
use model::order::{Order, Refusal, RefusalCode};
use model::snapshot::Reservation;
use venues::requirement::{Draw, Funding, draws_on};

use super::{Judgement, Subject};

impl Judgement<'_> {
    /// What an order of which some is `filled` may still need, if that is free after reservations,
    /// after what this tick has promised and with what the order `holds` already.
    pub(super) fn funded(
        &self,
        order: &Order,
        subject: &Subject<'_>,
        filled: Quantity,
        holds: Decimal,
    ) -> Result<Reservation, Refusal> {
        let draw = draws_on(subject.instrument, subject.side);
        let key = match draw {
            Draw::Cash => self.instruments.cash_key(subject.place),
            Draw::Base => self.instruments.base_key(subject.place),
        };
        let Some(quantity) = order.size.units() else {
            return Ok(Reservation { key, amount: Decimal::ZERO });
        };
        let leaves = Quantity((quantity.0 - filled.0).max(Decimal::ZERO));
        let funding = Funding {
            order,
            leaves,
            instrument: subject.instrument,
            last_px: subject.last_px,
            position: self.account.position(subject.place),
            fees: &*self.fees[subject.place.index()],
            ts: self.account.ts(),
        };
        let need = (funding.need() - self.held_by_group(order, key)).max(Decimal::ZERO);
        let free = self.free(key, subject.instrument) + holds;
        if need <= free || need.is_zero() {
            return Ok(Reservation { key, amount: need });
        }
        let code = match draw {
            Draw::Cash => RefusalCode::Balance,
            Draw::Base => RefusalCode::Position,
        };
        let (need, free) = (need.normalize(), free.normalize());
        let detail = format!("needs {need} of {}, {free} free", self.instruments.key(key));
        Err(Refusal::new(code, detail))
    }

    /// What other orders of its group hold back: only one of them will fill.
    fn held_by_group(&self, order: &Order, key: KeyIx) -> Decimal {
        let Some(group) = order.oco_group else { return Decimal::ZERO };
        let held = self.holders().filter(|(other, reserved, _)| {
            other.oco_group == Some(group)
                && other.order_id != order.order_id
                && reserved.key == key
        });
        held.map(|(_, reserved, _)| reserved.amount).sum()
    }
}
