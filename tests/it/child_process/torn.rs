//! Logs that end in the middle of a write.

use std::fs;
use std::path::Path;

use store::audit::commit::Commit;
use store::audit::{Kind, LogReader};

use super::super::support::{self, bundled};
use super::read_log;

/// A finished run of the bundled example: a year of hours, three commits.
fn example(folder: &Path) {
    let run_file = bundled().join("sma-cross.toml").display().to_string();
    let output = support::run(folder, &["backtest", &run_file, "--out", "out"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_commit_that_is_torn_at_any_byte_is_none() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    example(folder.path());
    let out = folder.path().join("out");
    let whole = read_log(&out);
    let before = whole.commits().len() - 1;
    assert!(before > 0, "the example has several commits");
    let path = out.join("audit/commits.jsonl");
    let text = fs::read(&path).unwrap();
    let line = text[..text.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for length in line..text.len() {
        fs::write(&path, &text[..length]).unwrap();
        let log = LogReader::open(&out).unwrap();
        // Without its newline a commit is not there, however much of it is.
        assert_eq!(log.commits(), &whole.commits()[..before], "cut at byte {length}");
    }
    fs::write(&path, &text[..line]).unwrap();
    assert_eq!(read_log(&out).commits(), &whole.commits()[..before]);
}

#[test]
fn a_damaged_line_before_the_last_is_an_error_and_no_torn_end() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    example(folder.path());
    let out = folder.path().join("out");
    let path = out.join("audit/commits.jsonl");
    let text = fs::read(&path).unwrap();
    let second = text.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let damaged = [&text[..second], b"{\"comnit\":", &text[second + 10..]].concat();
    fs::write(&path, damaged).unwrap();
    let error = LogReader::open(&out).unwrap_err();
    assert!(error.to_string().contains("line 2"), "{error}");
    fs::write(&path, &text[..second - 1]).unwrap();
    assert!(read_log(&out).commits().is_empty(), "a torn header is an empty log");
}

#[test]
fn torn_bytes_behind_the_last_commit_are_not_looked_at() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    example(folder.path());
    let out = folder.path().join("out");
    let commits = read_log(&out).commits().to_vec();
    let path = out.join("audit/commits.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let stream = |kind: Kind| out.join("audit").join(kind.file_name());
    let streams: Vec<(Kind, Vec<u8>)> = Kind::ALL
        .into_iter()
        .filter_map(|kind| Some((kind, fs::read(stream(kind)).ok()?)))
        .collect();
    for kept in 0..=commits.len() {
        // The header, then the commits.
        let lines: String = text.split_inclusive('\n').take(kept + 1).collect();
        fs::write(&path, lines).unwrap();
        for torn in [0, 1, 7, 64] {
            for (kind, bytes) in &streams {
                let length = committed(&commits[..kept], *kind) + torn;
                // The begin of what came next, or anything behind the last commit.
                let mut bytes = bytes[..length.min(bytes.len())].to_vec();
                bytes.resize(length, 0xff);
                fs::write(stream(*kind), bytes).unwrap();
            }
            assert_eq!(read_log(&out).commits(), &commits[..kept], "{torn} torn bytes");
        }
    }
}

/// Length of a stream up to the last of these commits.
fn committed(commits: &[Commit], kind: Kind) -> usize {
    let part = |commit: &Commit| {
        commit.streams.iter().find(|part| part.kind == kind.name()).map(|part| part.end)
    };
    let end = commits.iter().rev().find_map(part).unwrap_or(0);
    usize::try_from(end).expect("a small log")
}

#[test]
fn a_log_without_a_commit_is_empty() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("audit");
    fs::create_dir(&log).unwrap();
    fs::write(log.join("commits.jsonl"), "").unwrap();
    assert_eq!(read_log(folder.path()).commits(), []);
}
