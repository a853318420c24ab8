//! A program whose strategies and service fail, each in its own way.

use std::process::ExitCode;
use std::rc::Rc;

use execution::ExecutionService;
use execution::fault_injection::{FaultScript, Slip};
use model::handshake::Handshake;
use tickdrain::prelude::*;

/// Name of the environment variable that puts the service on the bus.
const ECHO: &str = "FAULTY_ECHO";

/// Name of the environment variable that makes the venue err in its books.
const WRONG_BOOKS: &str = "FAULTY_BOOKS";

/// The decision in which everything goes wrong.
const LAST: u32 = 5;

fn main() -> ExitCode {
    let app = App::new()
        .strategy::<Faulty<Panics>>("panics")
        .strategy::<Faulty<Fails>>("fails")
        .strategy::<Faulty<Floods>>("floods")
        .strategy::<Faulty<BadlyBuilt>>("badly_built")
        .strategy::<Faulty<Sound>>("sound");
    let app = match std::env::var_os(ECHO) {
        Some(_) => app.service("echo", |_| Echo),
        None => app,
    };
    let app = match std::env::var_os(WRONG_BOOKS) {
        Some(_) => app.planting(err),
        None => app,
    };
    app.main()
}

/// A venue that errs by the last digit of the cash that the fourth fill has paid.
fn err(execution: ExecutionService) -> ExecutionService {
    let books = execution.venue_books().clone();
    let make = Rc::new(move |handshake: &mut Handshake| {
        let paid = &handshake.deltas[1];
        books.change(|books| books.tamper(paid.key, Decimal::new(1, 12)));
    });
    execution.with_faults(FaultScript::default().with_slip(Slip { nth: 4, make }))
}

/// Buys one unit per frame, then goes wrong.
#[derive(Debug)]
struct Faulty<F> {
    decisions: u32,
    fault: F,
}

/// A way to go wrong.
trait Fault: Default + 'static {
    fn strike(&self, orders: &mut OrderDesk<'_>) -> Result<(), StrategyError>;

    fn build() -> Self {
        Self::default()
    }
}

#[derive(Debug, Default)]
struct Panics;

impl Fault for Panics {
    fn strike(&self, _orders: &mut OrderDesk<'_>) -> Result<(), StrategyError> {
        panic!("out of ideas")
    }
}

#[derive(Debug, Default)]
struct Fails;

impl Fault for Fails {
    fn strike(&self, _orders: &mut OrderDesk<'_>) -> Result<(), StrategyError> {
        Err("no opinion on this market".into())
    }
}

#[derive(Debug, Default)]
struct Floods;

impl Fault for Floods {
    fn strike(&self, orders: &mut OrderDesk<'_>) -> Result<(), StrategyError> {
        loop {
            orders.buy(InstrumentIx(0), one());
        }
    }
}

#[derive(Debug, Default)]
struct Sound;

impl Fault for Sound {
    fn strike(&self, _orders: &mut OrderDesk<'_>) -> Result<(), StrategyError> {
        Ok(())
    }
}

#[derive(Debug, Default)]
struct BadlyBuilt;

impl Fault for BadlyBuilt {
    fn strike(&self, _orders: &mut OrderDesk<'_>) -> Result<(), StrategyError> {
        Ok(())
    }

    fn build() -> Self {
        panic!("cannot be built")
    }
}

impl<F: Fault> StrategyKind for Faulty<F> {
    const SUMMARY: &'static str = "Fails at its fifth decision.";

    fn parameters() -> &'static [ParameterSpec] {
        &[]
    }

    fn build(_setup: &StrategySetup<'_>) -> Result<Self, ParameterError> {
        Ok(Self { decisions: 0, fault: F::build() })
    }
}

impl<F: Fault> Strategy for Faulty<F> {
    fn decide(
        &mut self,
        _market: MarketView<'_>,
        _account: &AccountSnapshot,
        orders: &mut OrderDesk<'_>,
    ) -> Result<Decision, StrategyError> {
        orders.buy(InstrumentIx(0), one());
        self.decisions += 1;
        if self.decisions == LAST {
            self.fault.strike(orders)?;
        }
        Ok(Decision::trade("one more"))
    }
}

fn one() -> Size {
    Size::Units(Quantity(Decimal::ONE))
}

/// Answers every message of its own with another one.
#[derive(Debug)]
struct Echo;

impl BacktestService for Echo {
    type Error = std::convert::Infallible;

    fn name(&self) -> &'static str {
        "echo"
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Account, Topic::Custom]
    }

    fn handle(&mut self, _envelope: &Envelope, outbox: &mut Outbox) -> Result<(), Self::Error> {
        outbox.publish(Payload::Custom(Custom::new("echo").into()));
        Ok(())
    }

    fn finish(&mut self, _outcome: &RunOutcome) -> Result<ServiceReport, Self::Error> {
        Ok(ServiceReport::new("echo"))
    }
}
