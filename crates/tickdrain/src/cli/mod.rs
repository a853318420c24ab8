//! The command line: arguments in, a readable page and an exit code out.

#[macro_use]
mod stdout;

mod backtest;
mod check;
mod complaint;
mod data;
mod diff;
mod explain;
mod init;
mod lists;
mod page;
mod replay;
mod resume;
mod verify;
mod what_if;

use std::panic;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::app::App;
use crate::error::exit;

/// Backtests trading strategies tick by tick and proves what happened.
#[derive(Debug, Parser)]
#[command(name = "tickdrain", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// How log lines on standard error look; `RUST_LOG` says which there are.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a run file; without one, the bundled example on the bundled, synthetic data.
    Backtest(BacktestArguments),
    /// Writes a commented run file for a strategy, ready to run on the bundled data.
    Init {
        /// The strategy.
        #[arg(default_value = "sma_cross")]
        kind: String,
    },
    /// Validates a run file and its data without running; lists all faults.
    Check {
        /// The run file.
        run_file: PathBuf,
        /// Overrides a key of the run file (key=value); may be given several times.
        #[arg(long = "set", value_name = "KEY=VALUE")]
        overrides: Vec<String>,
    },
    /// Rebuilds positions, cash, equity and open orders from a run's log alone.
    Replay {
        /// The run folder.
        run_folder: PathBuf,
        /// After the last tick up to this time instead of at the end.
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Proves that a run was recorded as it was computed: hashes and laws.
    Verify {
        /// The run folder.
        run_folder: PathBuf,
        /// Also computes the run again and compares it byte by byte.
        #[arg(long)]
        reexecute: bool,
    },
    /// Shows where two runs part, and what it came to.
    Diff {
        /// A run folder.
        left: PathBuf,
        /// Another one.
        right: PathBuf,
    },
    /// Says why something happened in a run, or why nothing did.
    Explain {
        /// The run folder.
        run_folder: PathBuf,
        /// What is to be explained.
        #[command(subcommand)]
        subject: explain::Subject,
    },
    /// Continues a run that was stopped or killed; the result is that of a run that was not.
    Resume {
        /// The run folder.
        run_folder: PathBuf,
        /// Prints nothing but the run folder.
        #[arg(long)]
        quiet: bool,
    },
    /// Checks that nothing is decided on data of the future: noise after random frames must not
    /// change what comes before.
    LookaheadCheck {
        /// The run file.
        run_file: PathBuf,
        /// After how many random frames.
        #[arg(long, value_name = "N", default_value_t = 8)]
        cuts: u64,
        /// Overrides a key of the run file (key=value); may be given several times.
        #[arg(long = "set", value_name = "KEY=VALUE")]
        overrides: Vec<String>,
    },
    /// Runs a run again with a fact changed from some time on, and shows what it did to profit.
    Branch {
        /// The run folder.
        run_folder: PathBuf,
        /// From when on.
        #[arg(long, value_name = "TIME")]
        at: String,
        /// `venues.V.taker_bps=N`, `data.KIND.OF=N`, `data.KIND.OF*=N` or `orders.ID=unfilled`.
        #[arg(long = "set", value_name = "FACT", required = true)]
        facts: Vec<String>,
        /// Leaves the branch here instead of beside the run.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Looks at data, or makes some.
    #[command(subcommand)]
    Data(DataCommand),
    /// Lists the strategies with their parameters, units and defaults.
    Strategies,
    /// Lists the built-in instruments and fees.
    Instruments,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// Rows, span, holes and faults of candle files.
    Inspect {
        /// The files.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Length of a bar.
        #[arg(long, default_value = "1h")]
        interval: String,
    },
    /// Writes the synthetic candles of a seed.
    Generate {
        /// Folder to write to.
        #[arg(long, default_value = "data")]
        out: PathBuf,
        /// The seed; equal seeds give equal bytes.
        #[arg(long, default_value_t = 7)]
        seed: u64,
    },
}

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct BacktestArguments {
    /// The run file.
    run_file: Option<PathBuf>,
    /// Leaves the run folder here instead of under runs/.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Deletes what an old run left in --out.
    #[arg(long, requires = "out")]
    overwrite: bool,
    /// Overrides a key of the run file (key=value); may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Bars that open at or after this time.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Bars that close at or before this time.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Drops the log writer; the run has no digest then.
    #[arg(long)]
    no_audit: bool,
    /// Prints nothing but the run folder.
    #[arg(long)]
    quiet: bool,
    /// Prints the summary as JSON; the run folder goes to standard error.
    #[arg(long)]
    json: bool,
    /// Runs in this many random polling orders instead, which must all give one digest.
    #[arg(long, value_name = "N", conflicts_with_all = ["out", "json", "no_audit"])]
    fuzz_schedules: Option<u64>,
}

/// Runs the command line of `app`.
pub(crate) fn main(app: &App) -> ExitCode {
    let arguments = Arguments::parse();
    start_logging(arguments.log_format);
    // A panic of a strategy is an error of the run, with its message; it is not printed twice.
    panic::set_hook(Box::new(|info| tracing::debug!("{info}")));
    let outcome = panic::catch_unwind(panic::AssertUnwindSafe(|| run(app, arguments.command)));
    ExitCode::from(outcome.unwrap_or_else(|panic| {
        complaint::internal(panic.as_ref());
        exit::SYSTEM
    }))
}

fn run(app: &App, command: Command) -> u8 {
    match command {
        Command::Backtest(arguments) => backtest::run(app, &arguments),
        Command::Init { kind } => init::run(app, &kind),
        Command::Check { run_file, overrides } => check::run(app, &run_file, &overrides),
        Command::Replay { run_folder, at, json } => replay::run(&run_folder, at.as_deref(), json),
        Command::Verify { run_folder, reexecute } => verify::run(app, &run_folder, reexecute),
        Command::Diff { left, right } => diff::run(&left, &right),
        Command::Explain { run_folder, subject } => explain::run(app, &run_folder, &subject),
        Command::LookaheadCheck { run_file, cuts, overrides } => {
            what_if::lookahead(app, &run_file, cuts, &overrides)
        }
        Command::Branch { run_folder, at, facts, out } => {
            what_if::branch_of(app, &run_folder, &at, &facts, out)
        }
        Command::Resume { run_folder, quiet } => resume::run(app, &run_folder, quiet),
        Command::Data(DataCommand::Inspect { paths, interval }) => data::inspect(&paths, &interval),
        Command::Data(DataCommand::Generate { out, seed }) => data::generate(&out, seed),
        Command::Strategies => lists::strategies(app),
        Command::Instruments => lists::instruments(),
    }
}

fn start_logging(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A program that embeds the command line may have set up logging already.
    let started = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    drop(started);
}
