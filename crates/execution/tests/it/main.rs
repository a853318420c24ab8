//! Gate, execution, both books and engine together, with frames in memory.

mod auditor;
mod dice;
mod frames;
mod known_mistakes;
mod planted_faults;
mod sequences;
mod trader;
mod twice;
mod two_books;
mod world;
