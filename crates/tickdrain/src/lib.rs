//! Tickdrain: an async tick-and-drain backtesting engine, as users of the library see it.
//!
//! A program of one's own is three lines: `App::new().strategy::<MyStrategy>("my_strategy").main()`,
//! after which `kind = "my_strategy"` works in a run file with every command. The same without a
//! command line is [`Backtest`].
//!
//! Rule of this crate: the only composition root. Configuration ends here; what leaves it is
//! validated, so no other crate ever sees a half-valid run.

pub mod app;
pub mod backtest;
pub mod bundled;
pub mod catalog;
mod cli;
pub mod error;
pub mod live;
mod margins;
pub mod models;
pub mod past_run;
pub mod prelude;
mod progress;
mod question;
pub mod registry;
pub mod run_folder;
pub mod runfile;
pub mod summary;
mod terms;
mod transfers;
pub mod what_if;
mod wiring;

pub use app::App;
pub use backtest::{Backtest, Report};
pub use error::BacktestError;
