//! A recording: the writer thread behind the audit service, and what it knows at the end.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use model::instrument::InstrumentTable;
use model::time::Interval;

use super::chain_watch::ChainPlan;
use super::commit::{Commit, Header};
use super::records::Records;
use super::runner::AuditRunner;
use super::writer::{Before, LogTarget, LogWriter};
use crate::error::FolderError;
use crate::names::Names;
use crate::results::{Figures, Results, ResultsTerms};

/// Commits that may wait for the writer; more of them block the engine.
const QUEUE: usize = 4;

/// What is recorded, and where.
#[derive(Debug)]
pub struct RecordingPlan {
    /// The run folder, which exists; without it nothing is written and only the digest is computed.
    pub folder: Option<PathBuf>,
    /// Which log there is.
    pub log: LogPlan,
    /// First line of the log.
    pub header: Header,
    /// The instruments of the run.
    pub instruments: Rc<InstrumentTable>,
    /// Ids of the strategies, in run-file order.
    pub strategies: Vec<String>,
    /// Length of a frame.
    pub interval: Interval,
    /// Which frames the chain's records have a row for.
    pub chain: ChainPlan,
}

/// Which log a run has.
#[derive(Clone, Debug, Default)]
pub enum LogPlan {
    /// None, and so no digest.
    None,
    /// A new one.
    #[default]
    New,
    /// One that goes on after these commits, which the run has to come to again.
    After(Vec<Commit>),
}

/// What the writer knows when everything is written.
#[derive(Debug)]
pub struct Recorded {
    /// The log's last hash; absent without a log.
    pub digest: Option<blake3::Hash>,
    /// Commits of the log.
    pub commits: usize,
    /// The figures of the run.
    pub figures: Figures,
}

/// The writer thread of a run.
#[derive(Debug)]
pub struct Recording {
    thread: JoinHandle<Result<Recorded, FolderError>>,
}

#[derive(Debug)]
pub(crate) enum Message {
    Commit { records: Box<Records>, provisional: bool },
    Close,
}

/// The engine's end of the queue to the writer.
#[derive(Debug)]
pub(crate) struct Sender(SyncSender<Message>);

impl Sender {
    /// Hands a message over; blocks while the queue is full.
    pub(crate) fn send(&self, message: Message) -> Result<(), FolderError> {
        // The receiver is gone only if the writer has failed; its own error says why.
        self.0.send(message).ok().ok_or(FolderError::WriterGone)
    }
}

/// Starts a recording: the service for the bus, and the handle to wait for.
///
/// # Errors
///
/// The log or a result file cannot be created.
pub fn record(plan: RecordingPlan) -> Result<(AuditRunner, Recording), FolderError> {
    let names = Names::new(&plan.instruments, plan.strategies);
    let log = match plan.log {
        LogPlan::None => None,
        LogPlan::New => Some((Before::default(), true)),
        LogPlan::After(commits) => Some((Before { commits, has_header: true }, false)),
    };
    let log = log.map(|(before, is_new)| {
        let target = log_target(plan.folder.as_ref(), is_new)?;
        LogWriter::create(target, &plan.header, before)
    });
    let log = log.transpose()?;
    let log = log.map(|log| LogThread::start(log, names.clone())).transpose()?;
    let instruments = InstrumentTable::clone(&plan.instruments);
    let terms = ResultsTerms { interval: plan.interval, every_frame: plan.chain.every_frame };
    let results = Results::create(plan.folder.as_deref(), terms, instruments)?;
    let (sender, receiver) = sync_channel(QUEUE);
    let writer = Writer { log, results, names };
    let thread = spawn("results", move || writer.run(&receiver))?;
    let runner = AuditRunner::new(Sender(sender), plan.instruments, plan.chain);
    Ok((runner, Recording { thread }))
}

fn log_target(folder: Option<&PathBuf>, is_new: bool) -> Result<LogTarget, FolderError> {
    let Some(folder) = folder else { return Ok(LogTarget::HashOnly) };
    let path = folder.join("audit");
    if is_new {
        std::fs::create_dir(&path).map_err(FolderError::create(&path))?;
    }
    Ok(LogTarget::Folder(path))
}

impl Recording {
    /// Waits until everything is written.
    ///
    /// # Errors
    ///
    /// The first failure of the writer: a full disk, a folder that vanished.
    ///
    /// # Panics
    ///
    /// If the writer panicked.
    pub fn finish(self) -> Result<Recorded, FolderError> {
        join(self.thread)
    }
}

/// The second half of the writer: the log, on a thread of its own, behind the results.
struct LogThread {
    queue: SyncSender<Message>,
    thread: JoinHandle<Result<(blake3::Hash, usize), FolderError>>,
}

impl LogThread {
    fn start(mut log: LogWriter, names: Names) -> Result<Self, FolderError> {
        let (queue, messages) = sync_channel(QUEUE);
        let write = move || {
            while let Ok(Message::Commit { records, provisional }) = messages.recv() {
                log.commit(*records, &names, provisional)?;
            }
            log.close()?;
            Ok((log.digest(), log.commits()))
        };
        Ok(Self { queue, thread: spawn("log", write)? })
    }

    /// Ends the log; it is flushed to the device meanwhile.
    fn end(self) -> JoinHandle<Result<(blake3::Hash, usize), FolderError>> {
        drop(self.queue);
        self.thread
    }
}

struct Writer {
    log: Option<LogThread>,
    results: Results,
    /// Its own, since names are learnt on the way: both halves learn them at the same records.
    names: Names,
}

impl Writer {
    fn run(mut self, messages: &Receiver<Message>) -> Result<Recorded, FolderError> {
        // Ends with `Close`, or when the audit service is gone.
        while let Ok(Message::Commit { records, provisional }) = messages.recv() {
            if records.is_empty() {
                continue;
            }
            // Results first: a commit says that everything before it is complete.
            self.results.take(&records, &self.names)?;
            if let Some(log) = &self.log
                && log.queue.send(Message::Commit { records, provisional }).is_err()
            {
                // The log's own error says why it is gone.
                break;
            }
        }
        // The device takes the log while the results are closed.
        let log = self.log.take().map(LogThread::end);
        let figures = self.results.close(&self.names);
        let log = log.map(join).transpose()?;
        let figures = figures?;
        let (digest, commits) = log.map_or((None, 0), |(digest, commits)| (Some(digest), commits));
        Ok(Recorded { digest, commits, figures })
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T, FolderError> + Send + 'static,
) -> Result<JoinHandle<Result<T, FolderError>>, FolderError> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(FolderError::create("a thread of the writer".as_ref()))
}

fn join<T>(thread: JoinHandle<Result<T, FolderError>>) -> Result<T, FolderError> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
