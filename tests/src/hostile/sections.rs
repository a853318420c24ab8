//! Sections: how one run of bytes says what the files of run folders hold.

/// Length of what stands before the content of a section: its tag and its length.
const HEAD: usize = 3;

/// A part of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it is.
    pub tag: u8,
    /// Its content.
    pub content: Vec<u8>,
}

/// Splits bytes into sections: a tag, a length of two bytes, the content. The last one may be cut short.
pub fn sections(mut bytes: &[u8]) -> Vec<Section> {
    let mut found = Vec::new();
    while let Some(([tag, low, high], rest)) = bytes.split_first_chunk::<HEAD>() {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (content, rest) = rest.split_at(length);
        found.push(Section { tag: *tag, content: content.to_vec() });
        bytes = rest;
    }
    found
}

/// The bytes of sections; content beyond what a length can say is cut off.
pub fn join(sections: &[Section]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Section { tag, content } in sections {
        let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
        bytes.push(*tag);
        bytes.extend(length.to_le_bytes());
        bytes.extend(&content[..usize::from(length)]);
    }
    bytes
}

impl Section {
    /// Sections of `content`, of which one can hold only so much.
    pub fn split(tag: u8, content: &[u8]) -> impl Iterator<Item = Self> {
        let chunks = content.chunks(usize::from(u16::MAX));
        chunks.map(move |chunk| Self { tag, content: chunk.to_vec() })
    }
}
