//! Reading a log: its chain, its commits in order, and the records in them, typed and without arrow.

pub mod events;
pub mod log;
mod message;
mod rows;
mod stream;
pub mod table;
pub mod value;

pub use events::{Event, Events};
pub use log::{LogError, LogReader};
pub use rows::{CommitReader, CommitRows};
pub use table::Record;
pub use value::{Units, Value};
