//! The write-ahead log of a live run: what a restart finds half done (07 §9.4).

use std::collections::BTreeMap;

use model::delta::OperationId;
use model::handshake::Handshake;
use model::interface::Submission;
use model::tight_loop::{LoopEnd, LoopRecord, WalEntry, WalRecord, WalStage};

/// Where a live run writes ahead, synchronously.
pub trait WalPort {
    /// Keeps a record before what it announces is done.
    fn write(&mut self, record: WalRecord<'_>);

    /// A loop is over.
    fn close(&mut self, record: &LoopRecord);

    /// An operation needs no more attention.
    fn forget(&mut self, op_id: OperationId);

    /// Loops without an end, by name.
    fn open(&self) -> Vec<OpenOperation>;
}

/// A loop that began and did not end.
#[derive(Clone, Debug)]
pub struct OpenOperation {
    /// Name of the operation.
    pub op_id: OperationId,
    /// What was to be sent; `None` if a venue began it.
    pub submission: Option<Submission>,
    /// The last word that it left.
    pub stage: WalStage,
    /// What the venue said, once it had.
    pub handshake: Option<Handshake>,
}

/// A log in memory, as a file would keep it.
#[derive(Clone, Debug, Default)]
pub struct WalBook {
    open: BTreeMap<OperationId, OpenOperation>,
}

impl WalPort for WalBook {
    fn write(&mut self, record: WalRecord<'_>) {
        let op_id = record.op_id;
        let stage = record.stage();
        let operation = self.open.entry(op_id).or_insert_with(|| OpenOperation {
            op_id,
            submission: None,
            stage,
            handshake: None,
        });
        operation.stage = stage;
        match record.entry {
            WalEntry::Intent(submission) | WalEntry::Submitted(Some(submission)) => {
                operation.submission = Some(submission.clone());
            }
            WalEntry::Confirmed(handshake) => operation.handshake = Some(handshake.clone()),
            WalEntry::Submitted(None) | WalEntry::Applied | WalEntry::Reconciled(_) => {}
        }
    }

    fn close(&mut self, record: &LoopRecord) {
        // What ended the run is not over: the restart takes it up.
        if record.end != LoopEnd::SystemFailure {
            self.open.remove(&record.op_id);
        }
    }

    fn forget(&mut self, op_id: OperationId) {
        self.open.remove(&op_id);
    }

    fn open(&self) -> Vec<OpenOperation> {
        self.open.values().cloned().collect()
    }
}
