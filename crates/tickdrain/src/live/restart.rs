//! Restart: finishes what was half done, looks at the whole book, and only then takes orders.

use execution::failure::SystemFailure;
use execution::ports::{LedgerPort, LoopObserver};
use execution::tight_loop::{Answer, Resume};
use model::delta::OperationId;
use model::tight_loop::WalStage;

use super::clock::Clock;
use super::driver::LiveDriver;
use super::wal::WalPort;

/// What a restart did with one operation that it found without an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// It was never sent, and is forgotten.
    Dropped(OperationId),
    /// The venue was asked what became of it.
    Asked(OperationId),
    /// What the venue had said was applied.
    Applied(OperationId),
    /// Both books were compared.
    Compared(OperationId),
    /// Only its end was missing.
    Closed(OperationId),
}

/// Follows the rules of 07 §9.4 for each operation without an end, then refreshes and opens for
/// orders.
///
/// # Errors
///
/// An operation that cannot be finished: the new instance fails as the old one did.
pub async fn recover<C, L, W, O>(
    driver: &mut LiveDriver<C, L, W, O>,
) -> Result<Vec<Recovered>, SystemFailure>
where
    C: Clock,
    L: LedgerPort,
    W: WalPort,
    O: LoopObserver,
{
    let mut done = Vec::new();
    for open in driver.wal.open() {
        let op_id = open.op_id;
        let only_gas =
            open.handshake.as_ref().is_some_and(|said| Answer::of(said) == Answer::FailedWithGas);
        let (recovered, from) = match open.stage {
            WalStage::Intent => (Recovered::Dropped(op_id), None),
            WalStage::Submitted => (Recovered::Asked(op_id), Some(Resume::Submitted)),
            WalStage::Confirmed => {
                (Recovered::Applied(op_id), Some(Resume::Confirmed { only_gas }))
            }
            WalStage::Applied => (Recovered::Compared(op_id), Some(Resume::Applied { only_gas })),
            WalStage::Reconciled => (Recovered::Closed(op_id), None),
        };
        match from {
            Some(from) => {
                driver.resume(op_id, open.submission.as_ref(), open.handshake, from).await?;
            }
            None => driver.wal.forget(op_id),
        }
        done.push(recovered);
    }
    driver.refresh().await?;
    driver.open_for_orders();
    Ok(done)
}
