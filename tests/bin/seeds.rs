//! Writes the first inputs of every target into `corpus/`: run files, pieces of the bundled data, and
//! logs of short runs.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a tool of the source tree")]

use std::fs;
use std::path::{Path, PathBuf};

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use store::audit::{Kind, LogReader};
use tests::hostile::pack::{Packed, carry, run};
use tests::hostile::{Section, candle_file, join, log, run_file, tag};

/// Rows of a piece of the bundled data.
const ROWS: usize = 40;

fn main() {
    run_files();
    candle_files();
    logs();
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn write(target: &str, name: &str, bytes: &[u8]) {
    let folder = root().join("fuzz/corpus").join(target);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), bytes).unwrap();
}

/// The bundled run file, those of the examples, and every piece of TOML in the documentation.
fn run_files() {
    let mut count = 0;
    let mut seed = |text: &str| {
        let text = text.replace("../data/", "");
        count += 1;
        write("run_file", &format!("seed_{count:03}"), text.as_bytes());
        let outcome = run_file(text.as_bytes());
        println!("run file {count}: {outcome:?}");
    };
    for folder in ["data", "examples"] {
        for path in files(&root().join(folder), "toml") {
            if !path.ends_with("Cargo.toml") {
                seed(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let head = fs::read_to_string(root().join("data/sma-cross.toml")).unwrap();
    for path in files(&root().join("docs"), "md") {
        let text = fs::read_to_string(path).unwrap();
        for piece in text.split("```toml\n").skip(1) {
            let piece = piece.split("```").next().unwrap_or_default();
            seed(piece);
            seed(&(head.clone() + "\n" + piece));
        }
    }
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The first rows of one bundled file of each kind, as Parquet in several encodings and as CSV.
fn candle_files() {
    for (kind, name) in [
        (0_u8, "binance_spot_BTCUSDT_1h.parquet"),
        (1, "binance_perp_BTCUSDT_mark_1h.parquet"),
        (0b10_0010, "binance_perp_BTCUSDT_funding_8h.parquet"),
    ] {
        let file = fs::File::open(root().join("data").join(name)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let batch = reader.with_batch_size(ROWS).build().unwrap().next().unwrap().unwrap();
        let plain = WriterProperties::builder();
        let properties = [
            plain.clone().set_dictionary_enabled(false),
            plain.clone().set_compression(Compression::SNAPPY),
            plain.clone().set_compression(Compression::ZSTD(ZstdLevel::default())),
            plain
                .set_writer_version(parquet::file::properties::WriterVersion::PARQUET_2_0)
                .set_dictionary_enabled(false)
                .set_max_row_group_row_count(Some(ROWS / 2)),
        ];
        for (number, properties) in properties.into_iter().enumerate() {
            let mut bytes = vec![kind << 1];
            let properties = Some(properties.build());
            let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), properties).unwrap();
            writer.write(&batch).unwrap();
            writer.close().unwrap();
            write("candle_file", &format!("seed_{}_{number}", kind & 3), &bytes);
            println!("{name} {number}: {:?}, {} bytes", candle_file(&bytes), bytes.len());
        }
    }
    for (number, (choice, text)) in [
        (0b01, "ts,open,high,low,close,volume\n2024-01-01T00:00:00Z,10,12,9,11,5\n2024-01-01 01:00:00,11,12,9,10,5\n"),
        (0b11, "time,open,high,low,close\n2024-01-01T00:00:00Z,10,12,9,11\n2024-01-01T01:00:00+02:00,11,12,9,10\n"),
        (0b1010_0001, "timestamp,o,h,l,c,v\n1704067200000,10,12,9,11,5\n1704085200000,11,12,9,10,NA\n"),
        (0b101, "calc_time,funding_rate\n2024-01-01,0.0001\n2024-01-01T08:00:00.001Z,-0.0002\n"),
        (0b111, "date,price\r\n2024-01-01,1e3\r\n2024-01-02,\"12\"\r\n"),
    ]
    .into_iter()
    .enumerate()
    {
        let bytes = [&[choice], text.as_bytes()].concat();
        write("candle_file", &format!("seed_csv_{number}"), &bytes);
        println!("csv {number}: {:?}", candle_file(&bytes));
    }
}

/// Kinds that laws are about, a few at a time: what is small is changed more often.
const FAMILIES: [(&str, &[Kind]); 5] = [
    ("control", &[Kind::Control, Kind::Frame]),
    ("account", &[Kind::Frame, Kind::Account, Kind::Pnl]),
    ("chain", &[Kind::Account, Kind::Exposure, Kind::Risk]),
    ("orders", &[Kind::Intent, Kind::Verdict, Kind::OrderUpdate]),
    ("fills", &[Kind::Frame, Kind::TightLoop, Kind::Delta, Kind::Fill, Kind::Settlement]),
];

/// Logs of short runs: as they were written, and unpacked, so that what is changed stays readable.
fn logs() {
    let folder = tempfile::tempdir().unwrap();
    let crossing = |slow| {
        let overrides = ["end=2024-01-01T12:00:00Z", "strategy.fast=2", slow];
        run("data/sma-cross.toml", &overrides, &folder.path().join(slow))
    };
    let logs = [
        crossing("strategy.slow=4"),
        crossing("strategy.slow=5"),
        carry(&folder.path().join("carry")),
    ];
    for (number, log) in logs.iter().enumerate() {
        let sections = as_written(log);
        log_seed(&format!("seed_{number}_written"), &sections);
        let packed = Packed::of(log, 1);
        for (family, kinds) in FAMILIES {
            log_seed(&format!("seed_{number}_{family}"), &packed.only(kinds).sections());
        }
    }
    let frames = [Kind::Frame, Kind::Account, Kind::OrderUpdate, Kind::Pnl];
    let parts = logs.each_ref().map(|log| Packed::of(log, 2).only(&frames).sections());
    let second = [Section { tag: tag::SECOND, content: Vec::new() }];
    for (left, right) in [(0, 1), (2, 1)] {
        let both = [&parts[left][..], &second, &parts[right]].concat();
        log_seed(&format!("seed_{left}_{right}"), &both);
    }
}

fn log_seed(name: &str, sections: &[Section]) {
    let bytes = join(sections);
    write("log", name, &bytes);
    println!("log {name}: {:?}, {} bytes", log(&bytes), bytes.len());
}

fn as_written(log: &LogReader) -> Vec<Section> {
    let header = serde_json::to_vec(log.header()).unwrap();
    let mut sections = vec![Section { tag: tag::HEADER, content: header }];
    let commit = log.commits().first().unwrap();
    let mut content = vec![0];
    content.extend(commit.frames.to_le_bytes());
    content.extend([commit.first_seq, commit.last_seq].into_iter().flat_map(u64::to_le_bytes));
    content.extend([0; 16]);
    for kind in Kind::ALL {
        let Some(stream) = commit.part(kind.name()) else { continue };
        let bytes = fs::read(log.folder().join(kind.file_name())).unwrap();
        sections.extend(Section::split(kind as u8, &bytes));
        content.extend(u32::try_from(stream.rows).unwrap().to_le_bytes());
    }
    sections.push(Section { tag: tag::COMMIT, content });
    let seal = fs::read(log.folder().with_file_name("seal.json")).unwrap();
    sections.push(Section { tag: tag::SEAL, content: seal });
    sections
}
