//! Pages that repeat what the code says: they have to say it as the code does.

use std::collections::BTreeSet;
use std::fs;

use model::fill::PriceRule;
use model::order::RefusalCode;

use crate::architecture::{files, sources, spans};
use crate::support::root;

/// Fewer words than a test's name has.
const FEW_WORDS: usize = 4;

/// Sections of a page of a component, in order.
const SECTIONS: [&str; 6] =
    ["Purpose", "Lives in", "Asks for", "Methods", "Backtest and live", "Works with"];

/// Pages of components, each with its heading.
const COMPONENTS: [(&str, &str); 12] = [
    ("data-provider", "DataProvider"),
    ("event-logger", "EventLogger"),
    ("execution-manager", "ExecutionManager"),
    ("exposure-monitor", "ExposureMonitor"),
    ("pnl-monitor", "PnlMonitor"),
    ("position-monitor", "PositionMonitor"),
    ("position-update-handler", "PositionUpdateHandler"),
    ("reconciliation-component", "ReconciliationComponent"),
    ("results-store", "ResultsStore"),
    ("risk-monitor", "RiskMonitor"),
    ("strategy-manager", "StrategyManager"),
    ("venue-interface-manager", "VenueInterfaceManager"),
];

/// What pages of explanation have to tell about.
const TOLD: [(&str, &[&str]); 4] = [
    (
        "docs/explanation/tight-loop.md",
        &["The machine", "Retry", "Failures", "Implement", "Test", "Debug", "Tune"],
    ),
    (
        "docs/explanation/workflow.md",
        &["Diagram", "Triggers", "External workflow", "Internal workflow", "The tight loop in it"],
    ),
    (
        "docs/explanation/venues.md",
        &["Execution", "Position", "Data", "Credentials", "Transfers", "Two books"],
    ),
    ("docs/ARCHITECTURE.md", &["Code map", "Architecture invariants"]),
];

/// Topics that have a decision.
const DECIDED: [&str; 9] = [
    "venue-interface-factory",
    "tight-loop-machine",
    "point-in-time-data",
    "synchronous-components",
    "orders-and-outcomes",
    "two-books",
    "margin-and-liquidation",
    "funding-at-the-instant",
    "transfers-in-transit",
];

/// Names of other things that are as long as a test's.
const OTHER_NAMES: [&str; 1] = ["iter_over_hash_type"];

fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("the page is in the repository")
}

/// A row of a table for each name and what it means.
fn rows<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    // A doc comment begins with a space, and goes on with one on its next line.
    pairs.into_iter().map(|(name, meaning)| format!("| `{name}` | {} |", meaning.trim())).collect()
}

/// The rows of a page that begin with a code, from a heading to the next one of its level.
fn found(page: &str, heading: &str) -> Vec<String> {
    let section = page.lines().skip_while(|line| *line != heading).skip(1);
    let section = section.take_while(|line| !line.starts_with("## "));
    section.filter(|line| line.starts_with("| `")).map(str::to_owned).collect()
}

#[test]
fn the_page_of_orders_has_every_code_and_every_price_rule() {
    let page = page("docs/reference/orders.md");
    let codes = RefusalCode::ALL.iter().map(|code| (code.name(), code.meaning()));
    assert_eq!(found(&page, "## Codes"), rows(codes));
    let rules = PriceRule::ALL.iter().map(|rule| (rule.name(), rule.meaning()));
    assert_eq!(found(&page, "## Price rules"), rows(rules));
}

#[test]
fn the_table_of_prices_has_every_price_rule() {
    let page = page("docs/reference/orders.md");
    let told: Vec<String> =
        found(&page, "## Price of a fill").iter().flat_map(|row| spans(row)).collect();
    for rule in PriceRule::ALL {
        assert!(told.iter().any(|name| name == rule.name()), "{}", rule.name());
    }
}

#[test]
fn the_page_of_models_shows_the_example() {
    let (page, example) = (page("docs/how-to/write-a-model.md"), page("examples/custom_model.rs"));
    let (_, block) = page.split_once("```rust\n").expect("a block of code");
    let (block, _) = block.split_once("\n```").expect("its end");
    let (uses, models) = block.split_once("\n\n").expect("a use, then the models");
    assert_eq!(uses, "use tickdrain::prelude::*;");
    assert!(example.contains(models), "the page has other models than the example");
}

#[test]
fn tests_that_pages_name_are_there() {
    let sources: String = ["crates", "tests", "examples", "benches"]
        .iter()
        .flat_map(|folder| files(&root().join(folder), "rs"))
        .map(|path| fs::read_to_string(path).expect("a source can be read"))
        .collect();
    let known: BTreeSet<&str> = sources
        .match_indices("fn ")
        .filter_map(|(at, _)| sources[at + 3..].split(['(', '<']).next())
        .collect();
    let mut missing = Vec::new();
    for path in ["adr", "docs"].iter().flat_map(|folder| files(&root().join(folder), "md")) {
        let text = fs::read_to_string(&path).expect("a page can be read");
        for name in text.lines().flat_map(spans) {
            let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            let is_test = name.chars().all(is_word) && name.matches('_').count() >= FEW_WORDS;
            if is_test && !OTHER_NAMES.contains(&&*name) && !known.contains(&*name) {
                missing.push(format!("{}: {name}", path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The headings of a page at a level.
fn headings(page: &str, level: &str) -> Vec<String> {
    page.lines().filter_map(|line| line.strip_prefix(level)).map(str::to_owned).collect()
}

#[test]
fn every_component_has_a_page_in_the_one_form() {
    let folder = root().join("docs/reference/components");
    let found: Vec<String> = files(&folder, "md")
        .iter()
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(found, COMPONENTS.map(|(file, _)| file));
    for (file, name) in COMPONENTS {
        let page = page(&format!("docs/reference/components/{file}.md"));
        assert_eq!(headings(&page, "# "), [name], "{file}");
        assert_eq!(headings(&page, "## "), SECTIONS, "{file}");
        let mut sections = page.split("\n## ").skip(1).map(str::trim_end);
        assert!(sections.all(|section| section.lines().count() > 2), "{file} has an empty section");
        assert!(page.lines().count() < 60, "{file} is longer than a page");
    }
}

#[test]
fn pages_have_the_sections_that_are_asked_of_them() {
    for (path, told) in TOLD {
        let found = headings(&page(path), "## ");
        for section in told {
            assert!(found.iter().any(|heading| heading == section), "{path}: {section}");
        }
    }
    let architecture = page("docs/ARCHITECTURE.md");
    assert!(architecture.contains("position queries are no part of orders or outcomes"));
}

#[test]
fn every_topic_of_the_architecture_has_a_decision() {
    let records: Vec<String> =
        files(&root().join("adr"), "md").iter().map(|path| path.display().to_string()).collect();
    for topic in DECIDED {
        let of_topic = records.iter().filter(|path| path.ends_with(&format!("-{topic}.md")));
        assert_eq!(of_topic.count(), 1, "{topic}");
    }
    for path in &records {
        let text = fs::read_to_string(path).expect("a record can be read");
        for part in ["Status and date", "Context", "Decision", "Consequences", "Rejected"] {
            assert!(text.contains(&format!("\n**{part}.**")), "{path} has no {part}");
        }
    }
}

/// Whether the sources declare a type, a trait or a variant of this name.
fn declares(sources: &str, name: &str) -> bool {
    let kinds = ["struct", "enum", "trait", "type"];
    let ends = |text: &str| !text.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    kinds.iter().any(|kind| {
        let start = format!("{kind} {name}");
        sources.match_indices(&start).any(|(at, _)| ends(&sources[at + start.len()..]))
    }) || sources.lines().any(|line| {
        // A variant stands at the beginning of its line.
        line.trim_start()
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with([',', '(', ' ', '{']))
    })
}

/// Whether the sources have a function or a constant of this name.
fn has_item(sources: &str, name: &str) -> bool {
    ["fn", "const"].iter().any(|kind| {
        let start = format!("{kind} {name}");
        let mut found = sources.match_indices(&start).map(|(at, _)| &sources[at + start.len()..]);
        found.any(|rest| rest.starts_with(['(', '<', ':']))
    })
}

#[test]
fn types_that_component_pages_name_are_in_the_sources() {
    let all: String = sources().into_iter().map(|(_, text)| text).collect();
    let mut unknown = Vec::new();
    let components = COMPONENTS.map(|(file, _)| format!("docs/reference/components/{file}.md"));
    let told = TOLD.iter().map(|(path, _)| (*path).to_owned());
    for path in components.into_iter().chain(told) {
        for span in page(&path).lines().flat_map(spans) {
            let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let is_camel = span.starts_with(|c: char| c.is_ascii_uppercase())
                && span.contains(|c: char| c.is_ascii_lowercase());
            if !is_camel || !span.chars().all(is_name) || span == "Drop" {
                continue;
            }
            let mut parts = span.split("::");
            let owner = parts.next().unwrap_or_default();
            let is_known = declares(&all, owner)
                && parts.all(|part| declares(&all, part) || has_item(&all, part));
            if !is_known {
                unknown.push(format!("{path}: {span}"));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn methods_that_component_pages_list_are_where_the_page_says() {
    for (file, _) in COMPONENTS {
        let path = format!("docs/reference/components/{file}.md");
        let text = page(&path);
        let (_, lives) = text.split_once("## Lives in").expect("the page has its sections");
        let (_, link) = lives.split_once("](").expect("a link to the file");
        let link = link.split(')').next().expect("the end of the link");
        let source = root().join("docs/reference/components").join(link);
        let source = fs::read_to_string(source).expect("the file is there");
        for row in found(&text, "## Methods") {
            let name = spans(&row).remove(0);
            assert!(has_item(&source, &name), "{path}: {name} is not in {link}");
        }
    }
}

/// Methods of the reader of run files that name a key.
const READ_BY: [&str; 8] = [
    ".required(",
    ".optional(",
    ".or_default(",
    ".only_default(",
    ".table(",
    ".tables(",
    ".table_of(",
    ".tables_of(",
];

/// The sources below some paths of the crate that reads run files, without their tests.
fn readers(paths: &[&str]) -> String {
    let is_reader = |path: &str| {
        paths.iter().any(|part| path.starts_with(&format!("tickdrain/src/{part}")))
            && !path.contains("tests")
    };
    let found = sources().into_iter().filter(|(path, _)| is_reader(path));
    found.map(|(_, text)| text).collect()
}

/// What follows each occurrence of a word, up to the end of the quoted text there.
fn quoted_after(text: &str, word: &str) -> BTreeSet<String> {
    let quoted = |(at, _): (usize, &str)| {
        let rest = text[at + word.len()..].trim_start().strip_prefix('"')?;
        rest.split_once('"').map(|(key, _)| key.to_owned())
    };
    text.match_indices(word).filter_map(quoted).collect()
}

/// The words of a text that could be keys.
fn words(text: &str) -> impl Iterator<Item = String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.split(move |c| !is_part(c)).filter(|word| !word.is_empty()).map(str::to_owned)
}

#[test]
fn the_page_of_the_run_file_has_every_key_that_is_read_and_no_other() {
    let page = page("docs/reference/run-file.md");
    // Of the registry, what a run file can say as well.
    let sources =
        readers(&["runfile/", "registry/instrument.rs", "registry/change.rs", "registry/tiers.rs"]);
    let told: BTreeSet<String> =
        page.lines().flat_map(spans).flat_map(|span| words(&span).collect::<Vec<_>>()).collect();
    let read: BTreeSet<String> =
        READ_BY.iter().flat_map(|method| quoted_after(&sources, method)).collect();
    assert!(read.len() > 60, "{read:?}");
    let untold: Vec<_> = read.difference(&told).collect();
    assert!(untold.is_empty(), "read, but not on the page: {untold:?}");

    let sources = sources + &readers(&["registry/venue.rs"]);
    let mut is_keys = false;
    let mut unread = Vec::new();
    for line in page.lines() {
        if !line.starts_with('|') {
            is_keys = false;
        } else if line.starts_with("| Key") {
            is_keys = true;
        } else if is_keys {
            let cell = line.split('|').nth(1).expect("a first cell");
            let keys = spans(cell).into_iter().flat_map(|span| words(&span).collect::<Vec<_>>());
            unread.extend(keys.filter(|key| !sources.contains(&format!("\"{key}\""))));
        }
    }
    assert!(unread.is_empty(), "on the page, but never read: {unread:?}");
}

/// Words of unfinished work, and of parts that there are none of.
const NO_SUCH: [&str; 12] = [
    "TODO",
    "FIXME",
    "TBD",
    "WIP",
    "TransferManager",
    "StrategyHost",
    "OrderHandshake",
    "VenueExecutionManager",
    "PnLCalculator",
    "position_interface_factory",
    "instruction block",
    "deprecated",
];

/// Where a text has one of the words, as a word of its own.
fn no_such(text: &str) -> Option<&'static str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    NO_SUCH.into_iter().find(|word| {
        text.match_indices(word).any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + word.len()..]);
            !before.ends_with(is_part) && !after.starts_with(is_part)
        })
    })
}

#[test]
fn no_page_and_no_doc_comment_tells_of_what_is_not_there() {
    let pages = ["README.md", "HACKING.md", "CHANGELOG.md"].map(|name| root().join(name));
    let folders = ["docs", "adr", "examples", "data"];
    let below = folders.iter().flat_map(|folder| files(&root().join(folder), "md"));
    for path in pages.into_iter().chain(below) {
        let text = fs::read_to_string(&path).expect("a page can be read");
        assert_eq!(no_such(&text), None, "{}", path.display());
    }
    for (path, text) in sources() {
        let is_doc = |line: &&str| line.starts_with("///") || line.starts_with("//!");
        let docs: Vec<&str> = text.lines().map(str::trim_start).filter(is_doc).collect();
        assert_eq!(no_such(&docs.join("\n")), None, "crates/{path}");
    }
}

/// Where a run is put together: file, the function in it, and what it calls, in order.
const SET_UP: [(&str, &str, &[&str]); 7] = [
    ("tickdrain/src/backtest.rs", "pub fn with_app(", &["RunConfig::load"]),
    (
        "tickdrain/src/backtest.rs",
        "pub fn run(&self)",
        &["Inputs::of", "open_feed", "output.create"],
    ),
    (
        "tickdrain/src/wiring.rs",
        "pub(crate) fn wire(",
        &["DataProvider::new", "RiskGate::new", "ExecutionService::new", "record"],
    ),
    (
        "tickdrain/src/wiring.rs",
        "pub(crate) fn wire(",
        &["BacktestEngine::new", "host_strategies", "attach_services"],
    ),
    ("engine/src/run.rs", "pub async fn run<", &["services.connect"]),
    ("engine/src/run.rs", "async fn tick_and_drain<", &["bus.start"]),
    ("engine/src/run.rs", "async fn tick_and_drain<", &["Control::EngineReady"]),
];

#[test]
fn a_run_is_put_together_in_the_order_that_the_page_lists() {
    let page = page("docs/explanation/orchestration.md");
    let (_, section) = page.split_once("## Before the first frame\n").expect("the section");
    let steps = section.lines().take_while(|line| !line.starts_with("## "));
    let steps = steps.filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    let listed: Vec<String> = steps.filter_map(|line| spans(line).into_iter().next()).collect();
    let called: Vec<&str> = SET_UP.iter().flat_map(|(_, _, calls)| *calls).copied().collect();
    assert_eq!(listed, called);
    let sources = sources();
    for (path, function, calls) in SET_UP {
        let (_, text) = sources.iter().find(|(name, _)| name == path).expect("the file");
        let (_, body) = text.split_once(function).expect("the function");
        let (body, _) = body.split_once("\n}\n").expect("its end");
        let places: Vec<_> = calls.iter().map(|call| body.find(&format!("{call}("))).collect();
        // What is announced is no call.
        let places = places.iter().zip(calls).map(|(at, call)| at.or_else(|| body.find(call)));
        let places: Vec<usize> = places
            .map(|at| at.unwrap_or_else(|| panic!("{function} has all of {calls:?}")))
            .collect();
        assert!(places.is_sorted(), "{path}: {function} calls {calls:?} in this order");
    }
}
