//! Workloads of the speed targets (`docs/performance.md`), for wall time and instruction counts.

pub mod idle_tick;
pub mod million;
