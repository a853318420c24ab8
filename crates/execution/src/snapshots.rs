//! Account snapshots without an allocation per frame: two that take turns.

use std::rc::Rc;

use ledger::Valuation;
use model::frame::Frame;
use model::market::DataProvider;
use model::snapshot::{AccountBook, AccountSnapshot};

/// The snapshots of the last two ticks. When a third is needed, the bus has let go of the first.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    turns: [Option<Rc<AccountSnapshot>>; 2],
    next: usize,
}

impl Snapshots {
    /// The snapshot of a frame.
    pub(crate) fn take(
        &mut self,
        frame: &Frame,
        market: &DataProvider,
        book: &Rc<AccountBook>,
        value: Valuation,
    ) -> Rc<AccountSnapshot> {
        let turn = &mut self.turns[self.next];
        self.next = 1 - self.next;
        if let Some(snapshot) = turn.as_mut().and_then(Rc::get_mut) {
            snapshot.frame.clone_from(frame);
            snapshot.marks.copy_from_slice(&market.present().closes);
            fill_in(snapshot, value);
            if !Rc::ptr_eq(&snapshot.book, book) {
                snapshot.book = Rc::clone(book);
            }
        } else {
            let mut snapshot = AccountSnapshot {
                frame: frame.clone(),
                marks: market.present().closes.clone(),
                equity: 0.0,
                cash: 0.0,
                gross: 0.0,
                net: 0.0,
                unrealized: 0.0,
                book: Rc::clone(book),
            };
            fill_in(&mut snapshot, value);
            *turn = Some(Rc::new(snapshot));
        }
        Rc::clone(turn.as_ref().expect("filled on both ways"))
    }
}

fn fill_in(snapshot: &mut AccountSnapshot, value: Valuation) {
    let Valuation { equity, cash, gross, net, unrealized } = value;
    snapshot.equity = equity;
    snapshot.cash = cash;
    snapshot.gross = gross;
    snapshot.net = net;
    snapshot.unrealized = unrealized;
}
