//! Messages of a stream, measured before they are decoded: a log may come from anybody.

use std::ops::Range;

use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::{MessageHeader, root_as_message};
use arrow_schema::ArrowError;

use crate::audit::kind::Kind;
use crate::audit::tables::schema_of;

/// What LZ4 can make of a byte at most, and what a frame of it may begin with.
const MOST_PER_BYTE: usize = 255;
const FRAME_HEAD: usize = 64;

/// Checks that the messages in `bytes` are whole, are about the columns of `kind`, and claim no more
/// than they can hold.
///
/// The decoder reserves what a compressed buffer says of its own length, so that length has to be
/// one that the compressor can have made, and no two buffers may be made of the same bytes.
///
/// # Errors
///
/// The first message that does not.
pub(super) fn check(kind: Kind, mut bytes: &[u8]) -> Result<(), ArrowError> {
    while !bytes.is_empty() {
        bytes = message(kind, bytes)?;
    }
    Ok(())
}

/// Checks one message and returns what is behind it.
fn message(kind: Kind, bytes: &[u8]) -> Result<&[u8], ArrowError> {
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
        MessageHeader::Schema => {
            let schema = message.header_as_schema().ok_or_else(|| fault("no schema"))?;
            if try_fb_to_schema(schema)? != *schema_of(kind) {
                let text = format!("not the columns of {}", kind.name());
                return Err(ArrowError::SchemaError(text));
            }
        }
        MessageHeader::RecordBatch => {
            let batch = message.header_as_record_batch().ok_or_else(|| fault("no record batch"))?;
            let mut free = 0;
            for buffer in batch.buffers().into_iter().flatten() {
                let range = range(body, free, buffer.offset(), buffer.length());
                let range = range.ok_or_else(|| fault("a buffer that is not in its body"))?;
                free = range.end;
                if batch.compression().is_some() && !is_possible(&body[range]) {
                    return Err(fault("a compressed buffer that claims more than it can hold"));
                }
            }
        }
        _ => return Err(fault("neither a schema nor a record batch")),
    }
    Ok(rest)
}

/// Where a buffer lies: in its body and not before `free`, unless it is empty.
fn range(body: &[u8], free: usize, offset: i64, length: i64) -> Option<Range<usize>> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    let is_inside = end <= body.len() && (start >= free || start == end);
    is_inside.then_some(if start == end { free..free } else { start..end })
}

/// Whether a compressed buffer can become as long as it says.
fn is_possible(content: &[u8]) -> bool {
    let Some((claim, rest)) = content.split_first_chunk::<8>() else { return true };
    let claim = i64::from_le_bytes(*claim);
    let most = rest.len().saturating_mul(MOST_PER_BYTE).saturating_add(FRAME_HEAD);
    // What is not compressed says so by −1.
    claim == -1 || usize::try_from(claim).is_ok_and(|claim| claim <= most)
}

#[cfg(test)]
mod tests {
    use arrow_array::RecordBatch;
    use arrow_ipc::writer::StreamWriter;

    use super::*;

    #[test]
    fn a_compressed_buffer_keeps_what_it_claims() {
        for (what, claim, is) in [
            ("what LZ4 can make of eight bytes", 8 * 255 + 64, true),
            ("one byte more", 8 * 255 + 65, false),
            ("not compressed", -1, true),
            ("below zero", -2, false),
        ] {
            let content: [[u8; 8]; 2] = [i64::to_le_bytes(claim), [0; 8]];
            assert_eq!(is_possible(&content.concat()), is, "{what}");
        }
    }

    #[test]
    fn a_buffer_has_bytes_of_its_own_in_its_body() {
        for (what, free, offset, length, found) in [
            ("the whole body", 0, 0, 16, Some(0..16)),
            ("the rest of it", 8, 8, 8, Some(8..16)),
            ("nothing", 8, 0, 0, Some(8..8)),
            ("bytes of the buffer before it", 8, 0, 16, None),
            ("beyond the body", 0, 8, 16, None),
            ("nothing beyond the body", 0, 17, 0, None),
            ("before the body", 0, -8, 16, None),
            ("further than there are numbers", 0, i64::MAX, i64::MAX, None),
        ] {
            assert_eq!(range(&[0; 16], free, offset, length), found, "{what}");
        }
    }

    #[test]
    fn columns_of_another_kind_are_refused_before_they_are_decoded() {
        let schema = schema_of(Kind::Frame);
        let mut writer = StreamWriter::try_new(Vec::new(), &schema).unwrap();
        writer.write(&RecordBatch::new_empty(schema)).unwrap();
        let bytes = writer.get_ref();
        assert!(check(Kind::Frame, bytes).is_ok());
        let error = check(Kind::Account, bytes).unwrap_err().to_string();
        assert_eq!(error, "Schema error: not the columns of account");
    }
}
