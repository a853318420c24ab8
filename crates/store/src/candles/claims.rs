//! What a Parquet file claims of itself, held against its bytes before anything is made of it.
//!
//! The library reserves what a header says: a page of two gigabytes, a list of two billion flags.
//! A file may come from anybody, so each claim has to be one that the bytes can keep.

use std::fs::File;
use std::io::{Cursor, Read as _, Seek as _, SeekFrom};
use std::ops::Range;

use ::parquet::basic::Type;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use ::parquet::file::reader::{ChunkReader, Length};

use super::thrift::Thrift;

/// Bytes of a page, unpacked; writers make pages of one million.
const PAGE_BYTES_MAX: i64 = 1 << 28;

/// Bytes that a page header may have: it states a dozen numbers, and the extremes of its page.
const HEADER_BYTES_MAX: usize = 1 << 13;

/// Groups within groups; candles need none.
const SCHEMA_DEPTH_MAX: usize = 64;

/// Bytes behind a footer: its length and the magic word.
const TAIL_BYTES: i64 = 8;

/// Checks the footer: no list in it is longer than the bytes that could hold it.
///
/// # Errors
///
/// One is, or the file cannot be read.
pub(super) fn check_footer(mut file: &File) -> Result<(), ParquetError> {
    if file.metadata()?.len() < TAIL_BYTES.unsigned_abs() {
        // That it is no file of this kind is said better by the library.
        return Ok(());
    }
    let end = file.seek(SeekFrom::End(-TAIL_BYTES))?;
    let mut length = [0; 4];
    file.read_exact(&mut length)?;
    let length = u64::from(u32::from_le_bytes(length));
    let Some(start) = end.checked_sub(length) else { return Ok(()) };
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    footer(&mut Thrift::new(&bytes)).ok_or_else(|| fault("its footer claims more than it holds"))
}

/// Walks over a footer; of its fields the second is the schema.
fn footer(thrift: &mut Thrift<'_>) -> Option<()> {
    let mut id = 0;
    while let kind @ 1.. = thrift.field(&mut id)? {
        match (id, kind) {
            (2, Thrift::LIST) => schema(thrift)?,
            (2, _) => return None,
            _ => thrift.skip(kind)?,
        }
    }
    Some(())
}

/// Walks over a schema: a tree, each node before its children, with their number.
///
/// The library makes room for as many as that says, and goes down as deep.
fn schema(thrift: &mut Thrift<'_>) -> Option<()> {
    let (count, Thrift::STRUCT) = thrift.list()? else { return None };
    // Children that are yet to come, of every node above the present one.
    let mut waiting: Vec<i64> = Vec::new();
    for place in 0..count {
        let children = children(thrift)?;
        if let Some(left) = waiting.last_mut() {
            *left -= 1;
        }
        let left = i64::try_from(count - place).ok()?;
        if !(0..left).contains(&children) {
            return None;
        }
        if children > 0 {
            waiting.push(children);
        }
        if waiting.len() > SCHEMA_DEPTH_MAX {
            return None;
        }
        while waiting.last() == Some(&0) {
            waiting.pop();
        }
    }
    Some(())
}

/// Reads a node of a schema: how many children it has.
fn children(thrift: &mut Thrift<'_>) -> Option<i64> {
    let (mut children, mut id) = (0, 0);
    while let kind @ 1.. = thrift.field(&mut id)? {
        match (id, kind) {
            (5, Thrift::I32) => children = thrift.number()?,
            (5, _) => return None,
            _ => thrift.skip(kind)?,
        }
    }
    Some(children)
}

/// A file whose pages are checked as they are come to.
#[derive(Debug)]
pub(super) struct CheckedFile {
    file: File,
    /// Where columns lie, in the order of the file, and bytes that one of their values takes at least.
    columns: Vec<(Range<u64>, i64)>,
}

impl CheckedFile {
    /// Checks what the library would assert, and print, about the places of the columns.
    ///
    /// # Errors
    ///
    /// One lies outside the file.
    pub(super) fn new(file: File, metadata: &ParquetMetaData) -> Result<Self, ParquetError> {
        let length = file.metadata()?.len();
        let columns = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
        let columns = columns.map(|column| {
            let range = range(column, length).ok_or_else(|| {
                fault(&format!("column {} lies outside the file", column.column_path().string()))
            })?;
            Ok((range, width(column)))
        });
        let mut columns = columns.collect::<Result<Vec<_>, ParquetError>>()?;
        columns.sort_unstable_by_key(|(range, _)| range.start);
        Ok(Self { file, columns })
    }

    /// Checks a page header: what it says of its page has to be possible.
    fn check_page(&self, start: u64, header: &[u8]) -> Option<()> {
        let behind = self.columns.partition_point(|(range, _)| range.start <= start);
        let (range, width) = self.columns.get(behind.checked_sub(1)?)?;
        let page = PageHeader::read(header)?;
        let left = i64::try_from(range.end.checked_sub(start)?).ok()?;
        let is_possible = (0..=left).contains(&page.compressed)
            && (0..=PAGE_BYTES_MAX).contains(&page.uncompressed)
            // A dictionary is unpacked at once, value by value.
            && (0..=page.uncompressed / width).contains(&page.entries);
        is_possible.then_some(())
    }
}

impl Length for CheckedFile {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl ChunkReader for CheckedFile {
    type T = Cursor<Vec<u8>>;

    /// The library reads page headers this way, and nothing else.
    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(start))?;
        let mut header = Vec::with_capacity(HEADER_BYTES_MAX);
        file.take(HEADER_BYTES_MAX as u64).read_to_end(&mut header)?;
        let possible = self.check_page(start, &header);
        possible.ok_or_else(|| fault("a page claims more than it can hold"))?;
        Ok(Cursor::new(header))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<bytes::Bytes, ParquetError> {
        self.file.get_bytes(start, length)
    }
}

/// Where the pages of a column lie, unless that is outside the file.
fn range(column: &ColumnChunkMetaData, length: u64) -> Option<Range<u64>> {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    let start = u64::try_from(start).ok()?;
    let end = start.checked_add(u64::try_from(column.compressed_size()).ok()?)?;
    (end <= length && column.num_values() >= 0).then_some(start..end)
}

/// Bytes that a value takes at least, as a dictionary has it.
fn width(column: &ColumnChunkMetaData) -> i64 {
    match column.column_type() {
        Type::INT64 | Type::DOUBLE => 8,
        Type::INT96 => 12,
        Type::BOOLEAN => 1,
        Type::INT32 | Type::FLOAT | Type::BYTE_ARRAY => 4,
        Type::FIXED_LEN_BYTE_ARRAY => i64::from(column.column_descr().type_length()).max(1),
    }
}

fn fault(text: &str) -> ParquetError {
    ParquetError::General(text.to_owned())
}

/// What is looked at in the header of a page.
#[derive(Clone, Copy, Debug, Default)]
struct PageHeader {
    uncompressed: i64,
    compressed: i64,
    /// Values of a dictionary.
    entries: i64,
}

impl PageHeader {
    /// Reads a header, with the types that the format gives its fields.
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut thrift = Thrift::new(bytes);
        let mut header = Self::default();
        let mut id = 0;
        while let kind @ 1.. = thrift.field(&mut id)? {
            match (id, kind) {
                (2, Thrift::I32) => header.uncompressed = thrift.number()?,
                (3, Thrift::I32) => header.compressed = thrift.number()?,
                (1 | 4, Thrift::I32) | (5 | 6 | 8, Thrift::STRUCT) => thrift.skip(kind)?,
                (7, Thrift::STRUCT) => header.entries = entries(&mut thrift)?,
                (1..=8, _) => return None,
                _ => thrift.skip(kind)?,
            }
        }
        Some(header)
    }
}

/// Reads the header of a dictionary.
fn entries(thrift: &mut Thrift<'_>) -> Option<i64> {
    let (mut entries, mut id) = (0, 0);
    while let kind @ 1.. = thrift.field(&mut id)? {
        match (id, kind) {
            (1, Thrift::I32) => entries = thrift.number()?,
            (1, _) => return None,
            _ => thrift.skip(kind)?,
        }
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::super::row_count;
    use super::*;

    /// A node of a schema, with a name of one letter and so many children.
    fn node(children: u8) -> Vec<u8> {
        match children {
            0 => vec![0x48, 1, b'a', 0],
            more => vec![0x48, 1, b'm', 0x15, more * 2, 0],
        }
    }

    /// A version, a schema of some nodes, and what else there is.
    fn footer_of(nodes: &[u8], rest: &[u8]) -> Vec<u8> {
        let count = u8::try_from(nodes.len()).unwrap();
        let nodes = nodes.iter().flat_map(|children| node(*children));
        let head = [0x15, 2, 0x19, 0xfc, count].into_iter();
        head.chain(nodes).chain(rest.iter().copied()).chain([0]).collect()
    }

    #[test]
    fn a_footer_keeps_what_it_claims() {
        let chain: Vec<u8> = [vec![1; 65], vec![0]].concat();
        for (what, nodes, rest, holds) in [
            ("a flat schema", &[2, 0, 0][..], &[][..], true),
            ("a group", &[2, 1, 0, 0], &[], true),
            ("more children than nodes", &[3, 0, 0], &[], false),
            ("64 groups", &chain[1..], &[], true),
            ("65 groups", &chain, &[], false),
            ("a number behind it", &[1, 0], &[0x16, 80], true),
            ("a list", &[1, 0], &[0x19, 0x25, 1, 1], true),
            ("a list that is longer than the file", &[1, 0], &[0x19, 0xf5, 255, 255, 3, 1], false),
            ("a list of flags, which take no bytes", &[1, 0], &[0x19, 0xf1, 3, 1, 1, 1], false),
            ("a map of flags", &[1, 0], &[0x1b, 3, 0x11, 1, 1, 1], false),
            ("a text beyond the end", &[1, 0], &[0x18, 9, b'a'], false),
            ("a type that there is not", &[1, 0], &[0x1e], false),
        ] {
            let bytes = footer_of(nodes, rest);
            assert_eq!(footer(&mut Thrift::new(&bytes)).is_some(), holds, "{what}");
        }
        let nested = [vec![0x1c; 40], vec![0; 41]].concat();
        assert_eq!(footer(&mut Thrift::new(&nested)), None, "structures 40 deep");
    }

    #[test]
    fn a_schema_that_is_too_deep_to_be_read_is_not() {
        let nodes = [vec![node(1); 100_000], vec![node(0)]].concat().concat();
        let mut bytes = vec![0x15, 2, 0x19, 0xfc, 0xa1, 0x8d, 6];
        bytes.extend(nodes);
        bytes.extend([0x16, 2, 0x19, 0x0c, 0]);
        let length = u32::try_from(bytes.len()).unwrap();
        let mut file = tempfile::Builder::new().suffix(".parquet").tempfile().unwrap();
        let parts: [&[u8]; 4] = [b"PAR1", &bytes, &length.to_le_bytes(), b"PAR1"];
        file.write_all(&parts.concat()).unwrap();
        assert_eq!(row_count(file.path()), None);
    }

    #[test]
    fn a_page_keeps_what_it_claims() {
        let file = tempfile::tempfile().unwrap();
        let checked = CheckedFile { file, columns: vec![(1_000..1_100, 8)] };
        for (what, start, header, holds) in [
            ("40 bytes", 1_000, &[0x15, 0, 0x15, 80, 0x15, 80, 0][..], true),
            ("bytes of no column", 999, &[0x15, 0, 0x15, 80, 0x15, 80, 0], false),
            ("101 of the column's 100", 1_000, &[0x15, 0, 0x15, 80, 0x15, 202, 1, 0], false),
            ("below zero", 1_000, &[0x15, 0, 0x15, 1, 0x15, 80, 0], false),
            ("2²⁸ unpacked", 1_000, &[0x15, 0, 0x15, 128, 128, 128, 128, 2, 0x15, 80, 0], true),
            ("one more", 1_000, &[0x15, 0, 0x15, 130, 128, 128, 128, 2, 0x15, 80, 0], false),
            (
                "a dictionary of 5 in 40",
                1_000,
                &[0x15, 4, 0x15, 80, 0x15, 80, 0x4c, 0x15, 10, 0, 0],
                true,
            ),
            (
                "a dictionary of 6 in 40",
                1_000,
                &[0x15, 4, 0x15, 80, 0x15, 80, 0x4c, 0x15, 12, 0, 0],
                false,
            ),
            ("a length that is a structure", 1_000, &[0x15, 0, 0x1c, 0, 0x15, 80, 0], false),
            ("half a header", 1_000, &[0x15, 0, 0x15, 80], false),
        ] {
            assert_eq!(checked.check_page(start, header).is_some(), holds, "{what}");
        }
    }
}
