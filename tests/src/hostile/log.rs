//! Bytes as the log of a run folder, and its seal.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proof::diff::{first_difference, line, told};
use proof::verify::verify_folder;
use proof::{Replay, compare, verify};
use store::audit::commit::{COMMIT_FILE, Commit, Header, StreamPart};
use store::audit::kind::SCHEMA_VERSION;
use store::audit::{Kind, LogReader};
use store::seal::{SEAL_FILE, Seal};

use super::{Outcome, Section, sections};

/// Tags of sections beside those of streams, which are the places of their kinds.
pub mod tag {
    /// A commit of what the streams hold since the one before.
    pub const COMMIT: u8 = 18;
    /// A header, as JSON; as it stands, if it is none.
    pub const HEADER: u8 = 19;
    /// Bytes of the commit file, as they stand.
    pub const RAW: u8 = 20;
    /// A seal, as JSON; as it stands, if it is none.
    pub const SEAL: u8 = 21;
    /// A second run folder begins.
    pub const SECOND: u8 = 22;
    /// Number of tags.
    pub const COUNT: u8 = 23;
}

/// Writes one or two run folders and does to them what commands do.
///
/// All hashes of the chain are computed here, so that what is behind them is reached.
pub fn log(bytes: &[u8]) -> Outcome {
    let outer = tempfile::tempdir().expect("a folder can be made");
    let mut all = sections(bytes);
    for section in &mut all {
        section.tag %= tag::COUNT;
    }
    let second = all.iter().position(|section| section.tag == tag::SECOND);
    let (one, two) = all.split_at(second.unwrap_or(all.len()));
    let names = ["one", "two"].map(|name| outer.path().join(name));
    write_folder(&names[0], one);
    write_folder(&names[1], two);
    let before = names.each_ref().map(|name| listing(name));
    let is_taken = read_folder(&names[0]) & compare_folders(&names[0], &names[1]);
    for (name, before) in names.iter().zip(before) {
        if let Ok(log) = LogReader::open(name) {
            // It may find that the streams are too short.
            drop(log.truncate(log.regular_commits()));
        }
        for (path, length) in listing(name) {
            let most = before.get(&path).copied();
            assert!(
                most.is_some_and(|most| length <= most),
                "{} has {length}, not {most:?}",
                path.display()
            );
        }
    }
    let beside = fs::read_dir(outer.path()).expect("it was made").count();
    assert_eq!(beside, names.len(), "nothing is written beside the folders");
    if is_taken { Outcome::Taken } else { Outcome::Refused }
}

/// Everything that reads one folder.
fn read_folder(folder: &Path) -> bool {
    let verification = verify_folder(folder);
    for fault in &verification.faults {
        assert!(!fault.to_string().is_empty());
    }
    let log = match LogReader::open(folder) {
        Ok(log) => log,
        Err(error) => {
            assert!(verification.log.is_err(), "{error}");
            return false;
        }
    };
    if log.check_bytes().is_err() {
        assert!(verification.log.is_err(), "a log whose bytes are others is not verified");
    }
    for kind in Kind::ALL {
        // What reads streams as they are, as other programs do.
        if let Ok(batches) = log.batches(kind) {
            batches.take_while(Result::is_ok).for_each(drop);
        }
    }
    let replayed = Replay::new(&log).and_then(|replay| {
        replay.each(|event, _| {
            assert!(event.all_records().all(|record| !line(&record).is_empty()));
            true
        })
    });
    let until = Replay::new(&log).and_then(|replay| replay.until(None));
    assert_eq!(replayed.is_ok(), until.is_ok());
    if let Ok(state) = &replayed {
        assert!(state.positions().iter().all(|(_, amount)| !amount.to_string().is_empty()));
    }
    for rows in log.read().map_while(Result::ok) {
        if let Some(event) = rows.events().last() {
            assert_eq!(told(&event, &rows).seq, event.seq);
        }
        assert_eq!(first_difference(&rows, &rows), None, "rows are the same as themselves");
    }
    if let Ok(found) = &verification.log {
        assert!(replayed.is_ok(), "what is verified can be replayed");
        for violation in &found.tally.violations {
            assert!(!violation.text.is_empty());
        }
    }
    verification.log.is_ok_and(|found| found.holds() && found.events > 0)
}

fn compare_folders(one: &Path, two: &Path) -> bool {
    let (Ok(one), Ok(two)) = (LogReader::open(one), LogReader::open(two)) else { return true };
    if let Ok(same) = compare(&one, &one) {
        assert!(same.is_same());
    }
    if let (Ok(left), Ok(right)) = (compare(&one, &two), compare(&two, &one)) {
        assert_eq!(left.is_same(), right.is_same());
    }
    verify(&two).is_ok()
}

/// The files in a folder and below it, with their lengths.
fn listing(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.metadata() {
            Ok(it) if it.is_dir() => found.extend(listing(&entry.path())),
            it => drop(found.insert(entry.path(), it.map_or(0, |it| it.len()))),
        }
    }
    found
}

/// What a section says of a commit; what is missing at its end is zero.
#[derive(Debug)]
struct Numbers {
    /// Bit 0: a provisional commit; 1: streams that end nowhere; 2: streams that end where they
    /// began; 3: a stream whose name is a path.
    flags: u8,
    frames: u64,
    seqs: [u64; 2],
    ticks: [i64; 2],
    /// Rows of each kind that has bytes, in the order of kinds.
    rows: Vec<u64>,
}

impl Numbers {
    fn read(content: &[u8]) -> Self {
        let (flag, rest) = content.split_first().unwrap_or((&0, &[]));
        let (words, rest) = rest.split_at(rest.len().min(5 * 8));
        let mut words = words.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            word
        });
        let mut next = || words.next().unwrap_or_default();
        let rows = rest.chunks_exact(4).map(|chunk| {
            let rows = chunk.try_into().map_or(0, u32::from_le_bytes);
            // The largest number stands for more than any sum can hold.
            if rows == u32::MAX { u64::MAX } else { u64::from(rows) }
        });
        Self {
            flags: *flag,
            frames: u64::from_le_bytes(next()),
            seqs: [u64::from_le_bytes(next()), u64::from_le_bytes(next())],
            ticks: [i64::from_le_bytes(next()), i64::from_le_bytes(next())],
            rows: rows.collect(),
        }
    }
}

/// A run folder as it is put together.
#[derive(Debug, Default)]
struct Parts {
    lines: Vec<u8>,
    header: Option<Header>,
    previous: String,
    commits: u64,
    /// The streams, and how much of each the commits cover.
    streams: [(Vec<u8>, usize); Kind::ALL.len()],
}

/// Writes a run folder of what the sections say.
pub fn write_folder(folder: &Path, sections: &[Section]) {
    let audit = folder.join("audit");
    fs::create_dir_all(&audit).expect("a folder can be made");
    let mut parts = Parts::default();
    for Section { tag, content } in sections {
        match *tag {
            tag::COMMIT => parts.commit(&Numbers::read(content)),
            tag::HEADER => parts.header(content),
            tag::RAW => parts.lines.extend(content),
            tag::SEAL => {
                let seal = sealed(content).unwrap_or_else(|| content.clone());
                fs::write(folder.join(SEAL_FILE), seal).expect("a file can be written");
            }
            tag::SECOND => {}
            kind => parts.streams[usize::from(kind)].0.extend(content),
        }
    }
    fs::write(audit.join(COMMIT_FILE), &parts.lines).expect("a file can be written");
    for (kind, (bytes, _)) in Kind::ALL.into_iter().zip(&parts.streams) {
        if !bytes.is_empty() {
            fs::write(audit.join(kind.file_name()), bytes).expect("a file can be written");
        }
    }
}

impl Parts {
    fn header(&mut self, content: &[u8]) {
        match serde_json::from_slice::<Header>(content) {
            Ok(mut header) => {
                header.schema = SCHEMA_VERSION;
                self.line(&header);
                self.previous = header.genesis().to_hex().to_string();
                self.header = Some(header);
            }
            Err(_) => self.lines.extend(content),
        }
    }

    fn commit(&mut self, numbers: &Numbers) {
        let mut rows = numbers.rows.iter().copied();
        let mut streams = Vec::new();
        for (kind, (bytes, covered)) in Kind::ALL.into_iter().zip(&mut self.streams) {
            let added = &bytes[*covered..];
            if !added.is_empty() {
                streams.push(StreamPart {
                    kind: kind.name().to_owned(),
                    end: bytes.len() as u64,
                    rows: rows.next().unwrap_or_default(),
                    blake3: blake3::hash(added).to_hex().to_string(),
                });
                *covered = bytes.len();
            }
        }
        for part in &mut streams {
            match numbers.flags & 0b110 {
                0b010 => part.end = u64::MAX,
                0b100 => part.end = 0,
                _ => {}
            }
        }
        if numbers.flags & 0b1000 != 0 {
            let kind = "../../outside".to_owned();
            streams.push(StreamPart { kind, end: 1, rows: 1, blake3: String::new() });
        }
        self.commits += 1;
        let [first_seq, last_seq] = numbers.seqs;
        let mut commit = Commit {
            commit: self.commits,
            provisional: numbers.flags & 1 != 0,
            frames: numbers.frames,
            first_seq,
            last_seq,
            first_tick: numbers.ticks[0],
            last_tick: numbers.ticks[1],
            streams,
            previous: self.previous.clone(),
            hash: String::new(),
        };
        commit.hash = commit.computed_hash().to_hex().to_string();
        self.previous.clone_from(&commit.hash);
        self.line(&commit);
    }

    fn line(&mut self, content: &impl serde::Serialize) {
        let line = serde_json::to_vec(content).expect("the lines of a log are plain data");
        self.lines.extend(line);
        self.lines.push(b'\n');
    }
}

/// A seal with the hash that belongs to it.
fn sealed(content: &[u8]) -> Option<Vec<u8>> {
    let mut seal: Seal = serde_json::from_slice(content).ok()?;
    seal.hash = seal.computed_hash();
    let text = serde_json::to_string_pretty(&seal).expect("a seal is plain data") + "\n";
    Some(text.into_bytes())
}
