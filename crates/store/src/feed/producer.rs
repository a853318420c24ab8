//! The reader thread: fills batches and sends them until the data or the feed ends.

use std::sync::Arc;

use model::frame::FrameBatch;
use model::time::UtcMillis;
use tokio::sync::mpsc::Sender;

use super::candles::Purpose;
use super::facts::FactsHandle;
use super::merge::{Merge, first_delivered_ms};
use super::stop::StopFlag;
use super::window::{Window, first_frame_ms};
use super::{FeedSpec, Message};
use crate::candles::DataError;

/// Finer bars and points after which a batch is full however few its frames are: a day has 1,440
/// minutes, so that frames alone do not bound the memory of what is read ahead.
pub(super) const EXTRAS_MAX: usize = 1 << 14;

pub(super) struct Producer {
    spec: FeedSpec,
    merge: Merge,
    batch: FrameBatch,
    /// Close of the first frame of the run, if the start says.
    first_frame: Option<i64>,
    /// Frames delivered so far.
    frames: u64,
    facts: FactsHandle,
}

impl Producer {
    pub(super) fn open(
        spec: &FeedSpec,
        facts: FactsHandle,
        stop: StopFlag,
    ) -> Result<Self, DataError> {
        let first = first_delivered_ms(spec)?;
        let merge = Merge::open(spec, Window::of_frames(first, spec.end), Purpose::Run, stop)?;
        let batch = empty_batch(spec);
        let first_frame = first_frame_ms(spec);
        let spec = FeedSpec { batch_rows: spec.batch_rows.max(1), ..spec.clone() };
        Ok(Self { spec, merge, batch, first_frame, frames: 0, facts })
    }

    /// Reads the warm-up and the first frame of the run.
    pub(super) fn read_to_first_frame(&mut self) -> Result<(), DataError> {
        loop {
            match self.read_frame()? {
                Some(Part::Warmup) => {}
                Some(Part::Run) => return Ok(()),
                None => return Err(self.nothing()),
            }
        }
    }

    fn read_frame(&mut self) -> Result<Option<Part>, DataError> {
        let Some(ts) = self.merge.next()? else { return Ok(None) };
        let warmup = match self.first_frame {
            Some(first) => ts < first,
            None => self.frames < u64::from(self.spec.warmup),
        };
        self.frames += 1;
        self.batch.push(UtcMillis::new(ts), warmup, self.merge.row());
        self.merge.push_parts(&mut self.batch);
        Ok(Some(if warmup { Part::Warmup } else { Part::Run }))
    }

    /// Why there is no frame: the data do not reach the window, or nothing in it makes a frame.
    fn nothing(&self) -> DataError {
        let (start, end) = (self.spec.start, self.spec.end);
        let last_open = self.merge.last_open();
        match start {
            Some(start)
                if end.is_none_or(|end| start < end)
                    && last_open.is_none_or(|open| open < start.millis()) =>
            {
                let first = self.merge.first_row().map(UtcMillis::new);
                let last = self.merge.last_row().map(UtcMillis::new);
                DataError::Coverage { start, end, first, last }
            }
            _ => DataError::EmptyWindow { start, end },
        }
    }

    /// Runs until the data, or the feed that receives them, ends.
    pub(super) fn run(mut self, sender: &Sender<Message>) {
        let failed = loop {
            match self.read_batch() {
                Ok(false) => break self.merge.read_out().err(),
                Ok(true) if !self.send_batch(sender) => break None,
                Ok(true) => {}
                Err(error) => break Some(error),
            }
        };
        if !self.batch.is_empty() {
            self.send_batch(sender);
        }
        // The facts are there before the receiver can see that the channel is closed.
        self.facts.set(self.merge.facts(&self.spec));
        if let Some(error) = failed {
            // If nobody is left to hear it, it concerns nobody.
            drop(sender.blocking_send(Err(error)));
        }
    }

    /// Fills the batch; whether there may be more behind it.
    fn read_batch(&mut self) -> Result<bool, DataError> {
        while self.batch.len() < self.spec.batch_rows && self.batch.extra_count() < EXTRAS_MAX {
            if self.read_frame()?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Hands over the batch and starts another; whether anybody is there to take it.
    fn send_batch(&mut self, sender: &Sender<Message>) -> bool {
        let fresh = empty_batch(&self.spec);
        let batch = std::mem::replace(&mut self.batch, fresh);
        sender.blocking_send(Ok(Arc::new(batch))).is_ok()
    }
}

/// A batch with room for the usual number of frames; a longer one grows as it is filled.
fn empty_batch(spec: &FeedSpec) -> FrameBatch {
    FrameBatch::with_capacity(spec.width, spec.batch_rows.min(FeedSpec::BATCH_ROWS))
}

/// Whether a frame belongs to the run or comes before it.
enum Part {
    Warmup,
    Run,
}
