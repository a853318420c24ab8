//! Paths: files that a run file names, relative to itself.

use std::fs;
use std::path::{Path, PathBuf};

use super::document::Node;
use super::fault::{Fault, FaultClass};
use super::field::{Field, wrong};

/// A file that exists, relative to `base`.
#[derive(Clone, Copy, Debug)]
pub struct FilePath<'a> {
    /// Folder of the run file.
    pub base: &'a Path,
    /// Endings that the name may have; empty if any will do.
    pub extensions: &'static [&'static str],
}

impl Field for FilePath<'_> {
    type Value = PathBuf;

    fn expected(&self) -> String {
        match self.extensions {
            [] => "a file, relative to the run file".to_owned(),
            some => {
                format!("a file, relative to the run file, that ends in .{}", some.join(" or ."))
            }
        }
    }

    fn read(&self, node: &Node) -> Result<PathBuf, Vec<Fault>> {
        let Some(text) = node.as_str() else {
            return Err(vec![wrong(self, node)]);
        };
        let path = absolute(&self.base.join(text));
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
        if !self.extensions.is_empty() && !self.extensions.contains(&extension) {
            return Err(vec![wrong(self, node)]);
        }
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(path),
            Ok(_) => Err(vec![unreadable(self, node, &path, "is not a file")]),
            Err(error) => Err(vec![unreadable(self, node, &path, &error.to_string())]),
        }
    }

    /// Absolute, because a resolved run file is kept in another folder.
    fn write(&self, value: &PathBuf) -> toml::Value {
        toml::Value::String(value.to_string_lossy().into_owned())
    }
}

/// The fault of a file that cannot be had.
pub(super) fn unreadable(field: &impl Field, node: &Node, path: &Path, reason: &str) -> Fault {
    Fault::new("CFG-FILE", node.place.clone(), node.describe(), field.expected())
        .class(FaultClass::Io)
        .hint(format!("{}: {reason}", path.display()))
}

/// The path from the root, without `..`; the name itself stays, even if it is a link.
fn absolute(path: &Path) -> PathBuf {
    let folder = path.parent().and_then(|folder| fs::canonicalize(folder).ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}
