//! As much of Thrift's compact protocol as it takes to walk over headers.

/// Structures within structures.
const DEPTH_MAX: u8 = 32;

/// Bytes that are walked over; `None` comes out of every method where they make no sense.
#[derive(Debug)]
pub(super) struct Thrift<'a> {
    rest: &'a [u8],
}

impl<'a> Thrift<'a> {
    pub(super) const I32: u8 = 5;
    pub(super) const LIST: u8 = 9;
    pub(super) const STRUCT: u8 = 12;

    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The type of the next field of a structure, and its id instead of that of the one before;
    /// zero at the end.
    pub(super) fn field(&mut self, id: &mut i16) -> Option<u8> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(0);
        }
        *id = match byte >> 4 {
            0 => i16::try_from(self.number()?).ok()?,
            step => id.checked_add(step.into())?,
        };
        // A step to a field of type zero would be taken for the end.
        Some(byte & 15).filter(|kind| *kind != 0)
    }

    /// An integer of any width.
    pub(super) fn number(&mut self) -> Option<i64> {
        let bits = self.varint()?;
        let half = i64::try_from(bits >> 1).ok()?;
        Some(if bits & 1 == 0 { half } else { !half })
    }

    /// How many elements of which type a list has, of at least a byte each.
    pub(super) fn list(&mut self) -> Option<(u64, u8)> {
        let byte = self.byte()?;
        let count = if byte >> 4 == 15 { self.varint()? } else { u64::from(byte >> 4) };
        (count <= self.rest.len() as u64).then_some((count, byte & 15))
    }

    /// Walks over the value of a field.
    pub(super) fn skip(&mut self, kind: u8) -> Option<()> {
        self.walk(kind, DEPTH_MAX)
    }

    fn walk(&mut self, kind: u8, depth: u8) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            // The type of a flag is its value.
            1 | 2 => {}
            3 => drop(self.byte()?),
            4..=6 => drop(self.varint()?),
            7 => self.advance(8)?,
            8 => {
                let length = self.varint()?;
                self.advance(length)?;
            }
            9 | 10 => {
                let (count, kind) = self.list()?;
                for _ in 0..count {
                    self.element(kind, depth)?;
                }
            }
            11 => {
                let count = self.varint()?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                for _ in 0..count {
                    self.element(kinds >> 4, depth)?;
                    self.element(kinds & 15, depth)?;
                }
            }
            12 => {
                let mut id = 0;
                while let kind @ 1.. = self.field(&mut id)? {
                    self.walk(kind, depth)?;
                }
            }
            13 => self.advance(16)?,
            _ => return None,
        }
        Some(())
    }

    /// Walks over an element of a list or a map. None of a file's headers has flags there, and
    /// readers differ on whether these take a byte: with none, there could be any number of them.
    fn element(&mut self, kind: u8, depth: u8) -> Option<()> {
        if matches!(kind, 1 | 2) { None } else { self.walk(kind, depth) }
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(value);
            }
        }
        None
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn advance(&mut self, count: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(count).ok()?..)?;
        Some(())
    }
}
