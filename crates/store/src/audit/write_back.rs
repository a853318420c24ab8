//! Early write-back: the device works while the run goes on, so that the flush at the end is short.

use std::fs::File;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// A thread that asks the system to write files back; it decides nothing and loses nothing.
#[derive(Debug)]
pub(crate) struct WriteBack {
    sender: Option<SyncSender<Vec<File>>>,
    thread: Option<JoinHandle<()>>,
}

impl WriteBack {
    /// Starts the thread; without one the flush at the end takes longer.
    pub(crate) fn start() -> Self {
        let (sender, receiver) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("write-back".to_owned())
            .spawn(move || write_back(&receiver))
            .ok();
        Self { sender: Some(sender), thread }
    }

    /// Asks for files to be written back, unless the thread still is at the last ones.
    pub(crate) fn ask<'a>(&self, files: impl Iterator<Item = &'a File>) {
        let handles: Vec<File> = files.filter_map(|file| file.try_clone().ok()).collect();
        if let Some(sender) = &self.sender {
            match sender.try_send(handles) {
                // Busy or gone: the flush at the end makes up for it.
                Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
            }
        }
    }
}

impl Drop for WriteBack {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // It only waits for the device; whether that failed is seen by the flush at the end.
            drop(thread.join());
        }
    }
}

fn write_back(receiver: &Receiver<Vec<File>>) {
    for files in receiver {
        for file in files {
            if let Err(error) = file.sync_data() {
                tracing::debug!(%error, "early write-back");
            }
        }
    }
}
