//! The requirements and the tests that show them: one table, from which the page is rendered.

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where a test would")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use expect_test::expect_file;
use toml::{Table, Value};

use crate::architecture::{files, sources};
use crate::support::root;

/// The lists, in the order of the page.
const LISTS: [(&str, &str); 5] = [
    ("TL", "Tight loop"),
    ("TR", "Tight loop, from outside"),
    ("FL", "Full loop"),
    ("AL", "Components and documents"),
    ("TD", "Tick and drain"),
];

/// What a row may have.
const FIELDS: [&str; 6] = ["what", "tests", "held_by", "note", "missing", "waits_for"];

const HEAD: &str = "# Requirements

Which tests show that a requirement is met. This page is rendered from [`requirements.toml`](../../tests/it/requirements.toml), and a test compares the two:

```console
$ UPDATE_EXPECT=1 cargo test -p tests requirements
```

A test is named with its crate; those of `tests` are in `tests/it`. *Held by* names what holds a requirement where that is no test. *Missing* says which test is wanted, or what no test shows. *Waits for* names a part of the project that is not there yet.
";

/// The table, by id.
fn requirements() -> Table {
    let path = root().join("tests/it/requirements.toml");
    fs::read_to_string(path).unwrap().parse().unwrap()
}

/// The ids that there have to be, list by list.
fn ids(table: &Table) -> Vec<String> {
    let counts = table["ids"].as_table().unwrap();
    assert_eq!(counts.len(), LISTS.len(), "every list has its count");
    let of_list = |(list, _): &(&str, &str)| {
        let count = counts[*list].as_integer().unwrap();
        (1..=count).map(|number| format!("{list}-{number:02}")).collect::<Vec<_>>()
    };
    LISTS.iter().flat_map(of_list).collect()
}

/// Crate and name of each test of a row.
fn tests_of(row: &Value) -> Vec<(&str, &str)> {
    let Some(tests) = row.get("tests") else { return Vec::new() };
    let tests = tests.as_array().unwrap().iter().map(|test| test.as_str().unwrap());
    tests
        .map(|test| test.split_once("::").unwrap_or_else(|| panic!("{test} has a crate")))
        .collect()
}

/// The sources of each crate, its tests included; those of the whole are `tests`.
fn all_sources() -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for folder in ["crates", "tests", "examples"] {
        for path in files(&root().join(folder), "rs") {
            let below = path.strip_prefix(root().join(folder)).unwrap();
            let first = below.components().next().unwrap().as_os_str().to_string_lossy();
            let name = if folder == "crates" { first.into_owned() } else { folder.to_owned() };
            found.entry(name).or_default().push_str(&fs::read_to_string(&path).unwrap());
        }
    }
    found
}

#[test]
fn every_requirement_is_in_the_table_once() {
    // That none is there twice is a rule of the format.
    let table = requirements();
    let mut expected = ids(&table);
    let mut found: Vec<String> = table.keys().filter(|key| *key != "ids").cloned().collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    for id in &found {
        let row = table[id].as_table().unwrap();
        let unknown: Vec<_> = row.keys().filter(|key| !FIELDS.contains(&&***key)).collect();
        assert!(unknown.is_empty(), "{id}: {unknown:?}");
        assert!(row.contains_key("what"), "{id} says what it is about");
        let says = ["tests", "held_by", "missing", "waits_for"].map(|key| row.contains_key(key));
        assert!(says.contains(&true), "{id} says how it stands");
    }
}

#[test]
fn every_test_that_the_table_names_is_there() {
    let (table, sources) = (requirements(), all_sources());
    let mut missing = Vec::new();
    for id in ids(&table) {
        for (crate_name, name) in tests_of(&table[&id]) {
            let is_there = sources.get(crate_name).is_some_and(|text| {
                // A test, and no helper of that name.
                text.match_indices(&format!("fn {name}(")).any(|(at, _)| {
                    let before = text[..at].trim_end().trim_end_matches("async").trim_end();
                    let attributes = before.rsplit(['}', ';']).next().unwrap_or_default();
                    attributes.contains("#[test]")
                })
            });
            if !is_there {
                missing.push(format!("{id}: {crate_name}::{name}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn the_page_of_requirements_is_rendered_from_the_table() {
    let page = render(&requirements());
    expect_file!["../../docs/reference/requirements.md"].assert_eq(&page);
}

/// What a requirement is called is no business of the code that meets it.
#[test]
fn no_production_code_names_a_requirement() {
    for (path, text) in sources() {
        let is_test = path.contains("/tests/") || path.ends_with("/tests.rs");
        let (text, _) = text.split_once("\n#[cfg(test)]\nmod tests {").unwrap_or((&text, ""));
        for (list, _) in LISTS {
            let named = text.match_indices(&format!("{list}-")).find(|(at, _)| {
                let number = text[at + list.len() + 1..].bytes().take(2);
                let before = text[..*at].bytes().next_back();
                number.filter(u8::is_ascii_digit).count() == 2
                    && !before.is_some_and(|letter| letter.is_ascii_alphanumeric())
            });
            assert!(is_test || named.is_none(), "crates/{path} names a requirement of {list}");
        }
    }
}

fn render(table: &Table) -> String {
    let mut page = HEAD.to_owned();
    let of = |list: &str| -> Vec<String> {
        ids(table).into_iter().filter(|id| id.starts_with(&format!("{list}-"))).collect()
    };
    page +=
        "\n| List | Requirements | Shown | Something is missing | Waits |\n|---|---|---|---|---|\n";
    for (list, title) in LISTS {
        let rows: Vec<Value> = of(list).iter().map(|id| table[id].clone()).collect();
        let with = |field: &str| rows.iter().filter(|row| row.get(field).is_some()).count();
        let is_open = |row: &&Value| row.get("missing").or(row.get("waits_for")).is_some();
        let shown = rows.len() - rows.iter().filter(is_open).count();
        let (all, missing, waits) = (rows.len(), with("missing"), with("waits_for"));
        let anchor = title.to_lowercase().replace(' ', "-").replace(',', "");
        writeln!(page, "| [{list}](#{anchor}) | {all} | {shown} | {missing} | {waits} |").unwrap();
    }
    for (list, title) in LISTS {
        write!(page, "\n## {title}\n\n| Id | Requirement | Shown by |\n|---|---|---|\n").unwrap();
        for id in of(list) {
            let row = &table[&id];
            let what = row["what"].as_str().unwrap();
            writeln!(page, "| {id} | {what} | {} |", state_of(row)).unwrap();
        }
    }
    page
}

/// The tests of a row, crate by crate, and what it lacks.
fn state_of(row: &Value) -> String {
    let mut parts = Vec::new();
    let mut last = "";
    for (crate_name, name) in tests_of(row) {
        if crate_name == last {
            let line: &mut String = parts.last_mut().unwrap();
            write!(line, ", `{name}`").unwrap();
        } else {
            parts.push(format!("{crate_name}: `{name}`"));
        }
        last = crate_name;
    }
    for (field, title) in [
        ("held_by", "*Held by*"),
        ("note", "*Note:*"),
        ("missing", "*Missing:*"),
        ("waits_for", "*Waits for*"),
    ] {
        if let Some(text) = row.get(field).and_then(Value::as_str) {
            parts.push(format!("{title} {text}"));
        }
    }
    parts.join("<br>")
}
