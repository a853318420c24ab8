//! Places: which bytes of which text a value or a fault comes from.

use std::ops::Range;

/// Which of the texts of a run: the run file, an override, or a file that a parameter names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceIx(pub usize);

impl SourceIx {
    /// The run file itself.
    pub const RUN_FILE: Self = Self(0);
}

/// A text that faults can point into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name: a path, or `command line` for an override.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// Bytes of one source; without a span, the source as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Which source.
    pub source: SourceIx,
    /// Which bytes of it.
    pub span: Option<Range<usize>>,
}

impl Place {
    /// The run file as a whole: where something is missing that has no section to be missing from.
    pub const RUN_FILE: Self = Self { source: SourceIx::RUN_FILE, span: None };

    /// Some bytes of a source.
    pub const fn new(source: SourceIx, span: Range<usize>) -> Self {
        Self { source, span: Some(span) }
    }

    /// Order in which faults are listed: by source, then by byte, what has no byte last.
    pub(crate) fn rank(&self) -> (SourceIx, usize) {
        (self.source, self.span.as_ref().map_or(usize::MAX, |span| span.start))
    }
}

impl Source {
    /// Line and column of a byte, both from 1; the column counts characters.
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    /// Bytes of a line, counted from 1, without its line break.
    pub fn line_span(&self, line: u64) -> Range<usize> {
        let mut start = 0;
        for (number, text) in (1u64..).zip(self.text.split_inclusive('\n')) {
            if number == line {
                return start..start + text.trim_end().len();
            }
            start += text.len();
        }
        start..start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_has_a_line_and_a_column_in_characters() {
        let source = Source { name: "a".to_owned(), text: "a = 1\nü = 2\n".to_owned() };
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.position(6), (2, 1));
        assert_eq!(source.position(9), (2, 3));
        assert_eq!(source.position(400), (3, 1));
        assert_eq!(source.line_span(2), 6..12);
        assert_eq!(source.line_span(9), 13..13);
    }
}
