//! The rules of the source tree: which crate may see which, and what stays out of them.

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support;

/// What each crate may depend on within the workspace; a new arrow needs an ADR.
const ARROWS: [(&str, &[&str]); 10] = [
    ("model", &[]),
    ("engine", &["model"]),
    ("ledger", &["model"]),
    ("venues", &["model"]),
    ("strategies", &["model"]),
    ("execution", &["engine", "ledger", "model", "venues"]),
    ("proof", &["model", "store"]),
    ("store", &["engine", "model"]),
    ("tickdrain", &["engine", "execution", "model", "proof", "store", "strategies", "venues"]),
    ("xtask", &[]),
];

/// Dependencies that only these crates may have, in their code or in their tests.
const RESERVED: [(&str, &[&str]); 4] = [
    ("arrow", &["store"]),
    ("parquet", &["store"]),
    ("anyhow", &["tickdrain", "xtask"]),
    ("clap", &["tickdrain", "xtask"]),
];

/// Where a text may stand in the code of the crates; their tests may say that they are skipped.
const WORDS: [(&str, &[&str]); 7] = [
    ("print!(", &["tickdrain/src/cli/", "xtask/src/"]),
    ("println!(", &["tickdrain/src/cli/", "xtask/src/"]),
    ("eprint!(", &["tickdrain/src/cli/", "xtask/src/"]),
    ("eprintln!(", &["tickdrain/src/cli/", "xtask/src/"]),
    ("SystemTime", &[]),
    ("Instant::now", &["engine/src/watchdog.rs", "tickdrain/src/backtest.rs", "xtask/src/"]),
    ("Utc::now", &[]),
];

/// Libraries that open connections, and what of the standard library does.
const CONNECTS: [&str; 14] = [
    "attohttpc",
    "curl",
    "h2",
    "hickory-resolver",
    "hyper",
    "minreq",
    "mio",
    "native-tls",
    "openssl",
    "quinn",
    "reqwest",
    "rustls",
    "socket2",
    "ureq",
];
const SOCKETS: [&str; 4] = ["std::net", "TcpStream", "UdpSocket", "UnixStream"];

/// Longest source file, in lines.
const LINES_MAX: usize = 600;

/// All files of the tree with an extension, without what is built or hidden.
pub(crate) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            if path.is_dir() {
                if name != "target" && name != "runs" && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The sources of all crates, with their paths below `crates/`.
pub(crate) fn sources() -> Vec<(String, String)> {
    let crates = support::root().join("crates");
    let source = |path: PathBuf| {
        let name = path.strip_prefix(&crates).unwrap().to_string_lossy().replace('\\', "/");
        (name, fs::read_to_string(&path).unwrap())
    };
    files(&crates, "rs")
        .into_iter()
        .map(source)
        .filter(|(name, _)| name.contains("/src/"))
        .collect()
}

/// Names under the tables of a `Cargo.toml` whose header ends in one of `headers`.
fn dependencies(crate_name: &str, headers: &[&str]) -> BTreeSet<String> {
    let path = support::root().join("crates").join(crate_name).join("Cargo.toml");
    let mut is_inside = false;
    let mut names = BTreeSet::new();
    for line in fs::read_to_string(&path).unwrap().lines() {
        if let Some(header) = line.trim().strip_prefix('[') {
            let header = header.trim_end_matches(']');
            // `[dependencies.name]` would hide a name in a header: nobody writes it here.
            assert!(!header.contains("dependencies."), "{crate_name}: {line}");
            is_inside = headers.iter().any(|wanted| header.split('.').next_back() == Some(wanted));
        } else if is_inside && let Some((name, _)) = line.split_once(['.', ' ', '=']) {
            names.insert(name.to_owned());
        }
    }
    names
}

#[test]
fn crates_depend_on_each_other_as_the_architecture_says() {
    let crates = support::root().join("crates");
    let folders: BTreeSet<String> = fs::read_dir(crates)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let known: BTreeSet<String> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(folders, known, "every crate has its line here");
    for (name, expected) in ARROWS {
        let all = dependencies(name, &["dependencies", "build-dependencies"]);
        let found: Vec<&str> = all.intersection(&known).map(String::as_str).collect();
        assert_eq!(found, expected, "{name}");
        assert!(!all.is_empty() || name == "xtask", "{name} depends on something");
    }
}

#[test]
fn some_dependencies_are_reserved() {
    for (crate_name, _) in ARROWS {
        for used in dependencies(crate_name, &["dependencies", "dev-dependencies"]) {
            for (reserved, holders) in RESERVED {
                let is_reserved = used == reserved || used.starts_with(&format!("{reserved}-"));
                assert!(
                    !is_reserved || holders.contains(&crate_name),
                    "{crate_name} uses {used}, which is reserved for {holders:?}"
                );
            }
        }
    }
}

#[test]
fn output_and_clocks_stay_where_they_belong() {
    let sources = sources();
    assert!(sources.len() > 80, "{} files", sources.len());
    for (word, places) in WORDS {
        for (name, text) in &sources {
            let is_test = name.contains("/tests/") || name.ends_with("/tests.rs");
            if is_test || places.iter().any(|place| name.starts_with(place)) {
                continue;
            }
            let lines = text.lines().zip(1..);
            let mut code = lines.filter(|(line, _)| !line.trim_start().starts_with("//"));
            let found = code.find(|(line, _)| {
                let mut hits = line.match_indices(word).map(|(at, _)| &line[..at]);
                // `eprintln!(` ends in `println!(`.
                hits.any(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
            });
            assert_eq!(found, None, "crates/{name} has `{word}`");
        }
    }
}

/// Nothing that is linked into any crate, its tests included, could reach a venue.
#[test]
fn nothing_of_the_workspace_opens_a_connection() {
    let lock = fs::read_to_string(support::root().join("Cargo.lock")).unwrap();
    let packages: Vec<&str> =
        lock.lines().filter_map(|line| line.strip_prefix("name = ")).collect();
    assert!(packages.len() > 100, "{} packages", packages.len());
    for name in CONNECTS {
        assert!(!packages.contains(&&*format!("\"{name}\"")), "{name} is in the lock file");
    }
    for (path, text) in sources() {
        let found = SOCKETS.iter().find(|word| text.contains(**word));
        assert_eq!(found, None, "crates/{path}");
    }
}

#[test]
fn no_source_file_is_longer_than_a_sitting() {
    let long: BTreeMap<String, usize> = sources()
        .into_iter()
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .collect();
    assert_eq!(long, BTreeMap::new(), "over {LINES_MAX} lines: which noun wants out?");
}

#[test]
fn decision_records_have_numbers_of_their_own() {
    let folder = support::root().join("adr");
    let records = files(&folder, "md");
    assert!(!records.is_empty(), "there are decisions");
    let mut numbers = BTreeSet::new();
    for path in records.iter().filter(|path| !path.ends_with("README.md")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let number = name.split('-').next().unwrap();
        let is_number = number.len() == 4 && number.bytes().all(|digit| digit.is_ascii_digit());
        assert!(is_number, "{name} begins with four digits");
        assert!(numbers.insert(number.to_owned()), "{name}: the number is taken");
        let text = fs::read_to_string(path).unwrap();
        let heading = text.lines().next().unwrap_or_default();
        let digits: String = heading
            .chars()
            .skip_while(|c| !c.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .collect();
        assert!(heading.starts_with("# "), "{name} begins with `{heading}`");
        assert_eq!(digits.parse::<u32>(), number.parse(), "{name} is headed `{heading}`");
    }
}

/// The targets of links in Markdown, code blocks and code spans left out.
fn links(text: &str) -> Vec<String> {
    let mut is_code = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
            continue;
        }
        if is_code || line.starts_with("    ") {
            continue;
        }
        // A link's text may be code; a link inside of code is none.
        for (at, _) in line.match_indices("](") {
            let is_span = line[..at].matches('`').count() % 2 == 1;
            let target = line[at + 2..].split([')', ' ']).next().unwrap_or_default();
            found.extend((!is_span).then(|| target.trim_matches(['<', '>']).to_owned()));
        }
    }
    found
}

/// The code spans of a line.
pub(crate) fn spans(line: &str) -> Vec<String> {
    line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_lead_somewhere() {
    let pages = files(&support::root(), "md");
    assert!(!pages.is_empty());
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, fragment) = link.split_once('#').unwrap_or((&link, ""));
            let target =
                if path.is_empty() { page.clone() } else { page.with_file_name("").join(path) };
            assert!(target.exists(), "{}: {link}", page.display());
            if !fragment.is_empty() && target.extension().is_some_and(|kind| kind == "md") {
                let text = fs::read_to_string(&target).unwrap();
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                let is_there = headings.any(|heading| anchor(heading) == fragment);
                assert!(is_there, "{}: {link} names no heading", page.display());
            }
        }
    }
}

#[test]
fn links_are_found_outside_of_code() {
    let text = "see [a](b.md#c) and [`d`](<e.md>), not `[f](g)`\n```\n[h](i)\n```\n    [j](k)\n";
    assert_eq!(links(text), ["b.md#c", "e.md"]);
    assert_eq!(anchor("## 11.4 Mapping, of loops"), "114-mapping-of-loops");
}
