//! Client ids: the same order twice is one order (10 §12.5).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use model::order::{Exit, Level, Order, OrderId, Pricing, Size, TimeInForce, Trail};

/// The orders that were sent under names of their own; looked up, never iterated.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientIds {
    known: HashMap<Arc<str>, (OrderId, blake3::Hash)>,
}

/// What a client id says of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// It is new.
    New,
    /// It is this order again, with the same terms.
    Repeats(OrderId),
    /// Another order has its name.
    Taken(OrderId),
}

impl ClientIds {
    /// Looks the order's name up, and remembers it.
    pub(super) fn identify(&mut self, order: &Order) -> Identity {
        let Some(client_order_id) = &order.client_order_id else { return Identity::New };
        // One name per strategy: two strategies may use the same words.
        let name: Arc<str> = format!("{}/{client_order_id}", order.order_id.strategy.0).into();
        let fingerprint = fingerprint(order);
        match self.known.get(&name) {
            None => {
                self.known.insert(name, (order.order_id, fingerprint));
                Identity::New
            }
            Some((first, known)) if *known == fingerprint => Identity::Repeats(*first),
            Some((first, _)) => Identity::Taken(*first),
        }
    }
}

/// BLAKE3 of the order's canonical form: its terms, without the names and times that a second
/// sending cannot repeat.
fn fingerprint(order: &Order) -> blake3::Hash {
    let mut text = String::new();
    let size = match order.size {
        Size::Units(quantity) => quantity.0.normalize().to_string(),
        Size::Share(share) => format!("{}%", share.normalize()),
    };
    let write = write!(
        text,
        "{}|{}|{}|{size}|{}|{}",
        order.instrument.0,
        order.side.name(),
        order.order_type().name(),
        order.post_only,
        order.reduce_only,
    );
    write.expect("a text takes what is written");
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            write!(text, "|{name}={value}").expect("a text takes what is written");
        }
    };
    let decimal = |value: model::Decimal| value.normalize().to_string();
    field("price", order.pricing.price().map(|price| decimal(price.value())));
    field("stop", order.pricing.stop_price().map(|price| decimal(price.value())));
    if let Pricing::Trailing { trail } = order.pricing {
        field(
            "trail",
            Some(match trail {
                Trail::Absolute(distance) => decimal(distance),
                Trail::Bps(rate) => format!("{}bps", decimal(rate.0)),
            }),
        );
    }
    field("tif", Some(order.tif.name().to_owned()));
    if order.tif == TimeInForce::Gtd {
        field("until", order.expire_at.map(|until| until.millis().to_string()));
    }
    field("oco", order.oco_group.map(|group| group.number.to_string()));
    field("parent", order.parent.map(|parent| parent.number.to_string()));
    let level = |exit: Exit| match exit.level {
        Level::Price(price) => decimal(price),
        Level::Offset(offset) => format!("offset {}", decimal(offset)),
        Level::OffsetBps(rate) => format!("offset {}bps", decimal(rate.0)),
    };
    field("tp", order.exits.take_profit.map(level));
    field("sl", order.exits.stop_loss.map(level));
    blake3::hash(text.as_bytes())
}
