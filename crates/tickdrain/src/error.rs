//! Why a backtest has no good end, and the exit code that says so.

use engine::error::EngineError;
use engine::strategy_runner::StrategyRunnerError;
use execution::execution_service::{ChainError, ExecutionError, ExposureError, LedgerError};
use execution::risk_gate::RiskGateError;
use proof::Divergence;
use proof::replay::ReplayError;
use store::FolderError;
use store::altered::AlterError;
use store::audit::reading::LogError;
use store::candles::{DataError, FaultClass};
use store::results::Unexplained;

use crate::backtest::Report;
use crate::past_run::{Diverged, InputsChanged};
use crate::runfile::fault::Faults;

/// Why there is no result, or none to rely on.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum BacktestError {
    #[error(transparent)]
    RunFile(#[from] Faults),

    #[error("the data cannot be read")]
    Data(#[from] DataError),

    #[error("the run folder cannot be written")]
    Folder(#[from] FolderError),

    #[error("the run could not be set up")]
    Setup(#[from] ExecutionError),

    #[error("the run failed")]
    Failed { source: EngineError, report: Box<Report> },

    #[error("profit does not add up")]
    Unexplained { source: Unexplained, report: Box<Report> },

    #[error(transparent)]
    Log(#[from] LogError),

    #[error(transparent)]
    Replay(#[from] ReplayError),

    #[error("the data cannot be altered")]
    Alter(#[from] AlterError),

    #[error(transparent)]
    Inputs(#[from] InputsChanged),

    #[error(transparent)]
    Diverged(#[from] Diverged),

    #[error(
        "services polled in the random order of seed {seed} came to {found} than in rank order"
    )]
    Schedule { seed: u64, found: String, divergence: Box<Divergence> },
}

/// The exit codes of the command line.
pub mod exit {
    /// A comparison or verification found a difference.
    pub const DIFFERENCE: u8 = 1;
    /// The command line is wrong.
    pub const USAGE: u8 = 2;
    /// The content of a data file is wrong.
    pub const DATA: u8 = 65;
    /// The system failed: an invariant, the bus, a strategy that panicked.
    pub const SYSTEM: u8 = 70;
    /// A file or folder cannot be opened, read or written.
    pub const IO: u8 = 74;
    /// The content of the run file is wrong.
    pub const CONFIG: u8 = 78;
    /// The user stopped the run.
    pub const INTERRUPTED: u8 = 130;
}

impl BacktestError {
    /// The exit code of the command line.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::RunFile(faults) => faults.exit_code(),
            Self::Data(error) | Self::Alter(AlterError::Data(error)) => of_data(error),
            Self::Folder(error) | Self::Alter(AlterError::Folder(error)) => of_folder(error),
            Self::Setup(_) => exit::CONFIG,
            Self::Failed { source, .. } => of_engine(source),
            Self::Unexplained { .. } => exit::SYSTEM,
            Self::Log(error) | Self::Replay(ReplayError::Log(error)) => of_log(error),
            Self::Replay(ReplayError::Content { .. })
            | Self::Inputs(_)
            | Self::Diverged(_)
            | Self::Schedule { .. } => exit::DIFFERENCE,
        }
    }

    /// What is known of a run that failed all the same.
    pub fn report(&self) -> Option<&Report> {
        match self {
            Self::Failed { report, .. } | Self::Unexplained { report, .. } => Some(report),
            Self::RunFile(_)
            | Self::Data(_)
            | Self::Folder(_)
            | Self::Setup(_)
            | Self::Log(_)
            | Self::Alter(_)
            | Self::Replay(_)
            | Self::Inputs(_)
            | Self::Diverged(_)
            | Self::Schedule { .. } => None,
        }
    }

    /// The data error behind it, if data is at fault.
    pub fn data(&self) -> Option<&DataError> {
        match self {
            Self::Data(error) => Some(error),
            Self::Failed { source: EngineError::Feed { source }, .. } => source.downcast_ref(),
            Self::RunFile(_)
            | Self::Folder(_)
            | Self::Setup(_)
            | Self::Failed { .. }
            | Self::Unexplained { .. }
            | Self::Log(_)
            | Self::Alter(_)
            | Self::Replay(_)
            | Self::Inputs(_)
            | Self::Diverged(_)
            | Self::Schedule { .. } => None,
        }
    }
}

const fn of_data(error: &DataError) -> u8 {
    match error.class() {
        FaultClass::Io => exit::IO,
        FaultClass::Content => exit::DATA,
        FaultClass::Coverage => exit::CONFIG,
    }
}

/// A log that cannot be read, is of another version, or is not as it was written.
pub(crate) const fn of_log(error: &LogError) -> u8 {
    match error {
        LogError::Folder(_) => exit::IO,
        LogError::Version { .. } => exit::DATA,
        LogError::Header { .. }
        | LogError::Line { .. }
        | LogError::Spelling { .. }
        | LogError::Chain { .. }
        | LogError::Short { .. }
        | LogError::Bytes { .. }
        | LogError::Sequence { .. }
        | LogError::Decode { .. } => exit::DIFFERENCE,
    }
}

/// Amounts that no column holds are no fault of the disk.
const fn of_folder(error: &FolderError) -> u8 {
    match error {
        FolderError::Encode { .. } => exit::SYSTEM,
        FolderError::Diverged { .. } => exit::DIFFERENCE,
        FolderError::Create { .. }
        | FolderError::Write { .. }
        | FolderError::Read { .. }
        | FolderError::NotEmpty { .. }
        | FolderError::Parquet { .. }
        | FolderError::Log { .. }
        | FolderError::WriterGone => exit::IO,
    }
}

/// A failure of the run is the system's, unless its cause is somebody's file.
fn of_engine(error: &EngineError) -> u8 {
    let cause = match error {
        EngineError::Feed { source } | EngineError::Service { source, .. } => source,
        EngineError::EmptyFeed => return exit::CONFIG,
        EngineError::Panicked { .. }
        | EngineError::DeliveryDropped { .. }
        | EngineError::DeliveryForgotten { .. }
        | EngineError::Unwakeable { .. }
        | EngineError::Asleep { .. }
        | EngineError::PublishedOutside { .. }
        | EngineError::EndedEarly { .. }
        | EngineError::NotAllowed { .. }
        | EngineError::Loop { .. } => return exit::SYSTEM,
    };
    if let Some(error) = cause.downcast_ref::<DataError>() {
        return of_data(error);
    }
    if let Some(error) = cause.downcast_ref::<FolderError>() {
        return of_folder(error);
    }
    if let Some(ExecutionError::Ledger(LedgerError::Chain(ChainError::Exposure(
        ExposureError::NoPrice { .. },
    )))) = cause.downcast_ref()
    {
        return exit::CONFIG;
    }
    if is_missed_frame(error) || cause.is::<RiskGateError>() {
        return exit::CONFIG;
    }
    exit::SYSTEM
}

/// Whether a run failed because a scripted request names a time that is no frame.
pub(crate) fn is_missed_frame(error: &EngineError) -> bool {
    let EngineError::Service { source, .. } = error else { return false };
    let Some(StrategyRunnerError::Decide { source, .. } | StrategyRunnerError::End { source, .. }) =
        source.downcast_ref()
    else {
        return false;
    };
    source.is::<strategies::scripted::NoSuchFrame>()
}
