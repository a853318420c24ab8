//! Pages that repeat what the code says: they have to say it as the code does.

use std::collections::BTreeSet;
use std::fs;

use model::fill::PriceRule;
use model::order::RefusalCode;

use crate::architecture::{files, spans};
use crate::support::root;

/// Fewer words than a test's name has.
const FEW_WORDS: usize = 4;

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
