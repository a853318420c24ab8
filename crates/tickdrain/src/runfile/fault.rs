//! Faults of a run file: collected, placed, and rendered together.

use std::cell::RefCell;

use model::nearest::nearest;

use super::place::{Place, Source, SourceIx};
use super::render;

/// What kind of wrong a fault is; the exit code follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultClass {
    /// The command line is wrong.
    Usage,
    /// The run file's content is wrong.
    Config,
    /// A file cannot be opened or read.
    Io,
}

/// One thing that is wrong with a run file or an override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind of wrong it is.
    pub class: FaultClass,
    /// Its code, `CFG-` and words.
    pub code: &'static str,
    /// Where it is.
    pub place: Place,
    /// Dotted name of the key at fault; empty where none is.
    pub key: String,
    /// What was found, as a noun.
    pub found: String,
    /// What was expected, as a noun.
    pub expected: String,
    /// What would probably repair it, as a sentence.
    pub hint: Option<String>,
    /// Odd, but not wrong.
    pub is_warning: bool,
    headline: Option<String>,
    source_name: String,
    position: Option<(usize, usize)>,
}

impl Fault {
    /// A fault in the content of the run file.
    pub fn new(
        code: &'static str,
        place: Place,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self {
            class: FaultClass::Config,
            code,
            place,
            key: String::new(),
            found: found.into(),
            expected: expected.into(),
            hint: None,
            is_warning: false,
            headline: None,
            source_name: String::new(),
            position: None,
        }
    }

    /// Something that the run file may say one day.
    pub fn not_implemented(place: Place, subject: &str, expected: impl Into<String>) -> Self {
        Self::new("CFG-NOT-IMPLEMENTED", place, subject, expected)
            .headline(format!("{subject} is not implemented yet"))
    }

    /// The same fault of another class.
    pub fn class(mut self, class: FaultClass) -> Self {
        self.class = class;
        self
    }

    /// The same fault elsewhere.
    pub fn placed(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// The same fault of a key.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// The same fault with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same fault, hinting at the known name nearest to `name` if one is near.
    pub fn hint_nearest<'a>(
        mut self,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        if let Some(known) = nearest(name, known) {
            self.hint = Some(format!("did you mean `{known}`?"));
        }
        self
    }

    /// The same fault with its own headline instead of one made of the key and what was found.
    pub fn headline(mut self, headline: impl Into<String>) -> Self {
        self.headline = Some(headline.into());
        self
    }

    /// What is wrong, in a line.
    pub fn message(&self) -> String {
        match &self.headline {
            Some(headline) => headline.clone(),
            None if self.key.is_empty() => format!("found {}", self.found),
            None => format!("{}: found {}", self.key, self.found),
        }
    }

    /// Name of the text it is in: a path, or `command line`.
    pub fn source_name(&self) -> &str {
        &self.source_name
    }

    /// Line, from 1; `None` where the fault concerns the text as a whole.
    pub fn line(&self) -> Option<usize> {
        self.position.map(|(line, _)| line)
    }

    /// Column in characters, from 1.
    pub fn column(&self) -> Option<usize> {
        self.position.map(|(_, column)| column)
    }
}

/// Where faults are collected while a run file is read.
///
/// Shared by all readers of one run, hence the interior mutability; it never leaves one thread.
#[derive(Debug, Default)]
pub struct FaultLog {
    sources: RefCell<Vec<Source>>,
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<Fault>>,
}

impl FaultLog {
    /// A log for faults in `run_file` and in what it leads to.
    pub fn new(run_file: Source) -> Self {
        Self { sources: RefCell::new(vec![run_file]), ..Self::default() }
    }

    /// Adds a text that faults can point into.
    pub fn add_source(&self, source: Source) -> SourceIx {
        let mut sources = self.sources.borrow_mut();
        sources.push(source);
        SourceIx(sources.len() - 1)
    }

    /// Bytes of a line of a source, counted from 1.
    pub fn line(&self, source: SourceIx, line: u64) -> Place {
        Place::new(source, self.sources.borrow()[source.0].line_span(line))
    }

    /// Takes a fault down.
    pub fn record(&self, fault: Fault) {
        self.faults.borrow_mut().push(self.located(fault));
    }

    /// Takes down what is odd without being wrong; it is shown where nothing is wrong.
    pub fn warn(&self, fault: Fault) {
        let fault = Fault { is_warning: true, ..fault };
        self.warnings.borrow_mut().push(self.located(fault));
    }

    fn located(&self, mut fault: Fault) -> Fault {
        let sources = self.sources.borrow();
        let source = &sources[fault.place.source.0];
        source.name.clone_into(&mut fault.source_name);
        fault.position = fault.place.span.as_ref().map(|span| source.position(span.start));
        fault
    }

    /// Number of faults so far.
    pub fn len(&self) -> usize {
        self.faults.borrow().len()
    }

    /// Whether there are none so far.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All faults, in the order of their places, none of them twice.
    pub fn into_faults(self) -> Faults {
        Faults::of(self.sources.into_inner(), self.faults.into_inner())
    }

    /// All warnings, likewise.
    pub fn into_warnings(self) -> Faults {
        Faults::of(self.sources.into_inner(), self.warnings.into_inner())
    }
}

/// Everything that is wrong with a run file, in the order of the places; never empty as an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.render(false))]
pub struct Faults {
    sources: Vec<Source>,
    faults: Vec<Fault>,
}

impl Faults {
    /// Nothing.
    pub(super) const NONE: Self = Self { sources: Vec::new(), faults: Vec::new() };

    fn of(sources: Vec<Source>, mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(|fault| fault.place.rank());
        // Two strategies may object to the same series.
        let mut kept: Vec<Fault> = Vec::with_capacity(faults.len());
        for fault in faults {
            if !kept.contains(&fault) {
                kept.push(fault);
            }
        }
        Self { sources, faults: kept }
    }

    /// One fault in a text.
    pub fn one(source: Source, fault: Fault) -> Self {
        let log = FaultLog::new(source);
        log.record(fault);
        log.into_faults()
    }

    /// The faults.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter()
    }

    /// Number of faults.
    pub const fn len(&self) -> usize {
        self.faults.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// Process exit code: 2 if the command line is wrong, else 78 if the content is, else 74.
    pub fn exit_code(&self) -> u8 {
        match self.faults.iter().map(|fault| fault.class).min() {
            Some(FaultClass::Usage) => 2,
            Some(FaultClass::Config) | None => 78,
            Some(FaultClass::Io) => 74,
        }
    }

    /// All faults with their source lines, for a terminal (`coloured`) or for a file.
    pub fn render(&self, coloured: bool) -> String {
        render::render(&self.sources, &self.faults, coloured)
    }
}
