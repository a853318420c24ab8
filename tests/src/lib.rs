//! Entry points that the tests of the whole share with the fuzz targets of `fuzz/`.

#![expect(clippy::missing_panics_doc, reason = "a panic is what the callers look for")]

pub mod hostile;
