//! The feed's rules on small files, and on real ones where they are there.
#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod csv;
mod extra_faults;
mod extras;
mod faults;
mod files;
mod formats;
mod holes;
mod parquet;
mod real;
mod real_points;
mod rules;
mod same;
mod scenario;
mod sub_bars;
mod sub_series;
mod windows;
