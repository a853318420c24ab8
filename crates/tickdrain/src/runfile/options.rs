//! `[audit]`, `[results]`, `[engine]`: what never changes a result.

use super::fault::Fault;
use super::field::{Choice, Flag};
use super::number::Whole;
use super::reader::TableReader;

/// How much of a run the audit log keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditLevel {
    /// Everything.
    Full,
    /// Decisions and what they led to. Not implemented yet.
    Decisions,
    /// Nothing; the run has no digest.
    Off,
}

const LEVELS: Choice<'static, AuditLevel> = Choice(&[
    ("full", AuditLevel::Full),
    ("decisions", AuditLevel::Decisions),
    ("off", AuditLevel::Off),
]);

/// What is written beside the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultsConfig {
    /// Whether the chain's tables have rows for every frame; the log does not depend on it.
    pub every_frame: bool,
}

/// Limits and sizes of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// Batches that the feed may read ahead.
    pub read_ahead: usize,
    /// Rows of a batch.
    pub batch_rows: usize,
    /// Events of one tick after which the run ends with `BUS-LOOP`.
    pub max_events_per_tick: usize,
    /// Delta cycles of one tick after which the run ends with `BUS-LOOP`.
    pub max_cycles_per_tick: usize,
}

/// Reads `[audit]`.
pub(super) fn read_audit(root: &mut TableReader<'_>) -> AuditLevel {
    let mut reader = root.table("audit");
    let level = reader.or_default("level", &LEVELS, AuditLevel::Full);
    if level == AuditLevel::Decisions {
        let subject = "audit level `decisions`";
        let fault = Fault::not_implemented(reader.place("level"), subject, "\"full\" or \"off\"");
        reader.log().record(fault.key(reader.key_path("level")));
    }
    root.put("audit", toml::Value::Table(reader.finish()));
    level
}

/// Reads `[results]`.
pub(super) fn read_results(root: &mut TableReader<'_>) -> ResultsConfig {
    let mut reader = root.table("results");
    let config = ResultsConfig { every_frame: reader.or_default("every_frame", &Flag, false) };
    root.put("results", toml::Value::Table(reader.finish()));
    config
}

/// Reads `[engine]`.
pub(super) fn read_engine(root: &mut TableReader<'_>) -> EngineConfig {
    let mut reader = root.table("engine");
    let mut count = |key: &str, max: i64, default: i64| {
        let count = reader.or_default(key, &Whole { min: 1, max }, default);
        usize::try_from(count).expect("a count is at least one")
    };
    let config = EngineConfig {
        read_ahead: count("read_ahead", 1_024, 4),
        batch_rows: count("batch_rows", 1 << 20, 4_096),
        max_events_per_tick: count("max_events_per_tick", i64::from(u32::MAX), 100_000),
        max_cycles_per_tick: count("max_cycles_per_tick", i64::from(u32::MAX), 1_000),
    };
    root.put("engine", toml::Value::Table(reader.finish()));
    config
}
