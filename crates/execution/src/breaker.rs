//! The breaker at the venues: what works there must not make risk larger (04 §6.3).

use model::order::{CancelOrder, OrderId, RefusalCode};
use model::time::UtcMillis;

use crate::execution_service::ExecutionService;
use crate::outcome::RunStop;

impl ExecutionService {
    /// Cancels the working orders that may increase risk, or ends the run after the frame.
    ///
    /// Orders of emergency plans stay: their sales of holdings are not reduce-only either.
    pub(crate) fn on_breaker(&mut self, ts: UtcMillis, cause: &'static str) {
        if self.stops_on_critical {
            self.stop.get_or_insert(RunStop::Critical { cause, ts });
        }
        let working = &self.ledger.book().working;
        let increasing = working.iter().map(|working| &working.order);
        let increasing =
            increasing.filter(|order| !order.reduce_only && !order.origin.is_emergency());
        let names: Vec<OrderId> = increasing.map(|order| order.order_id).collect();
        for order_id in names {
            let cancel = CancelOrder { order_id, ts_decided: ts };
            self.exchange.work(|exchange| {
                exchange.cancel_because(cancel, RefusalCode::Breaker);
            });
        }
    }
}
