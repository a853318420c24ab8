//! Account snapshots without an allocation per frame: two that take turns.

use std::rc::Rc;

use ledger::PositionUpdateHandler;
use model::exposure::ExposureSnapshot;
use model::frame::Frame;
use model::market::DataProvider;
use model::snapshot::{AccountSnapshot, ChainSnapshots};

/// The snapshots of the last two ticks. When a third is needed, the bus has let go of the first.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    turns: [Option<Rc<AccountSnapshot>>; 2],
    next: usize,
}

impl Snapshots {
    /// The snapshot of a frame, as the chain has last committed it.
    pub(crate) fn take(
        &mut self,
        frame: &Frame,
        market: &DataProvider,
        ledger: &PositionUpdateHandler,
    ) -> Rc<AccountSnapshot> {
        let turn = &mut self.turns[self.next];
        self.next = 1 - self.next;
        let (book, chain) = (ledger.book(), ledger.chain());
        let (exposure, risk, pnl) =
            (chain.exposure.latest(), chain.risk.latest(), chain.pnl.latest());
        if let Some(snapshot) = turn.as_mut().and_then(Rc::get_mut) {
            snapshot.frame.clone_from(frame);
            snapshot.marks.copy_from_slice(&market.present().closes);
            fill_in(snapshot, exposure);
            follow(&mut snapshot.book, book);
            follow(&mut snapshot.chain.exposure, exposure);
            follow(&mut snapshot.chain.risk, risk);
            follow(&mut snapshot.chain.pnl, pnl);
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
                chain: ChainSnapshots {
                    exposure: Rc::clone(exposure),
                    risk: Rc::clone(risk),
                    pnl: Rc::clone(pnl),
                },
            };
            fill_in(&mut snapshot, exposure);
            *turn = Some(Rc::new(snapshot));
        }
        Rc::clone(turn.as_ref().expect("filled on both ways"))
    }
}

/// Shares what is present, unless it is shared already.
fn follow<T>(shared: &mut Rc<T>, present: &Rc<T>) {
    if !Rc::ptr_eq(shared, present) {
        *shared = Rc::clone(present);
    }
}

fn fill_in(snapshot: &mut AccountSnapshot, exposure: &ExposureSnapshot) {
    snapshot.equity = exposure.equity;
    snapshot.cash = exposure.cash;
    snapshot.gross = exposure.gross;
    snapshot.net = exposure.net;
    snapshot.unrealized = exposure.unrealized;
}
