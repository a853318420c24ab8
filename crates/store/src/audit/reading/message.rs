//! Messages of a stream, measured before they are decoded: a log may come from anybody.

use arrow_ipc::{MessageHeader, root_as_message};
use arrow_schema::ArrowError;

/// What LZ4 can make of a byte at most, and what a frame of it may begin with.
const MOST_PER_BYTE: usize = 255;
const FRAME_HEAD: usize = 64;

/// Checks that the messages in `bytes` are whole and claim no more than they can hold.
///
/// The decoder reserves what a compressed buffer says of its own length, so that length has to be
/// one that the compressor can have made.
///
/// # Errors
///
/// The first message that does not.
pub(super) fn check(mut bytes: &[u8]) -> Result<(), ArrowError> {
    while !bytes.is_empty() {
        bytes = message(bytes)?;
    }
    Ok(())
}

/// Checks one message and returns what is behind it.
fn message(bytes: &[u8]) -> Result<&[u8], ArrowError> {
    let fault = |what: &str| ArrowError::IpcError(what.to_owned());
    let (marker, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| fault("a torn message"))?;
    if *marker != [0xff; 4] {
        return Err(fault("no message begins here"));
    }
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(|| fault("a torn message"))?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (head, rest) = rest.split_at_checked(length).ok_or_else(|| fault("a torn message"))?;
    let message = root_as_message(head)
        .map_err(|error| ArrowError::IpcError(format!("not a message: {error}")))?;
    let length = usize::try_from(message.bodyLength()).unwrap_or(usize::MAX);
    let (body, rest) = rest.split_at_checked(length).ok_or_else(|| fault("a torn body"))?;
    match message.header_type() {
        MessageHeader::Schema => {}
        MessageHeader::RecordBatch => {
            let batch = message.header_as_record_batch().ok_or_else(|| fault("no record batch"))?;
            if batch.compression().is_some() {
                for buffer in batch.buffers().into_iter().flatten() {
                    compressed(body, buffer.offset(), buffer.length()).ok_or_else(|| {
                        fault("a compressed buffer that claims more than it can hold")
                    })?;
                }
            }
        }
        _ => return Err(fault("neither a schema nor a record batch")),
    }
    Ok(rest)
}

/// Whether a buffer can become as long as it says; `None` if not.
fn compressed(body: &[u8], offset: i64, length: i64) -> Option<()> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    let Some((claim, rest)) = body.get(start..end)?.split_first_chunk::<8>() else {
        return Some(());
    };
    let claim = i64::from_le_bytes(*claim);
    let most = rest.len().saturating_mul(MOST_PER_BYTE).saturating_add(FRAME_HEAD);
    // What is not compressed says so by −1.
    (claim == -1 || usize::try_from(claim).is_ok_and(|claim| claim <= most)).then_some(())
}
