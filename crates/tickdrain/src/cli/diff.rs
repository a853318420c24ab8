//! `tickdrain diff`, and what a divergence looks like.

use std::fmt::Write as _;
use std::path::Path;

use proof::diff::Told;
use proof::{Comparison, Divergence, compare};
use store::audit::LogReader;

use super::complaint;
use super::lists::empty_table;
use super::replay::align_right;
use crate::error::exit;

/// Why writing to a text cannot fail.
const FITS: &str = "a String takes everything";

pub(super) fn run(left: &Path, right: &Path) -> u8 {
    let open =
        |folder: &Path| LogReader::open(folder).map_err(|error| complaint::log(folder, &error));
    let (one, two) = match (open(left), open(right)) {
        (Ok(one), Ok(two)) => (one, two),
        (Err(code), _) | (_, Err(code)) => return code,
    };
    match compare(&one, &two) {
        Ok(comparison) if comparison.is_same() => {
            say!("both runs are the same, event by event");
            0
        }
        Ok(comparison) => {
            say!("{}", page(&comparison, [left, right]));
            exit::DIFFERENCE
        }
        Err(error) => complaint::replay(left, &error),
    }
}

fn page(comparison: &Comparison, names: [&Path; 2]) -> String {
    let names = names.map(|name| name.display().to_string());
    let mut text = String::new();
    if let Some(first) = &comparison.first {
        text.push_str(&divergence(first, [&names[0], &names[1]]));
    }
    let mut kinds = empty_table(&["records", "A", "B", "not the same"]);
    for kind in &comparison.kinds {
        let counts = [kind.left, kind.right, kind.differing].map(|count| count.to_string());
        kinds.add_row([kind.kind.name()].into_iter().map(str::to_owned).chain(counts));
    }
    (1..4).for_each(|place| align_right(&mut kinds, place));
    writeln!(text, "\nA is {}, B is {}\n{kinds}", names[0], names[1]).expect(FITS);
    text.push_str(&profit(&comparison.profit));
    text
}

/// Components of profit that are not the same, and their sums.
pub(super) fn profit(components: &[(String, f64, f64)]) -> String {
    let mut table = empty_table(&["profit", "A", "B", "B − A"]);
    for (name, one, two) in components {
        let shown = |value: f64| format!("{:.6}", value + 0.0).replace("-0.000000", "0.000000");
        if shown(*one) != shown(*two) || name == "total" {
            table.add_row([name.clone(), shown(*one), shown(*two), shown(two - one)]);
        }
    }
    (1..4).for_each(|place| align_right(&mut table, place));
    table.to_string()
}

/// Where two runs part: both events in full, what led to them, and the fields that differ.
pub(super) fn divergence(divergence: &Divergence, names: [&str; 2]) -> String {
    let Divergence { left, right, fields } = divergence;
    let event = left.as_ref().or(right.as_ref());
    let mut text = event.map_or_else(String::new, |it| {
        format!("first difference: event {} at {}\n", it.seq, it.ts)
    });
    let mut table = empty_table(&["record", "field", names[0], names[1]]);
    for it in fields {
        table.add_row([it.kind.name(), it.field.as_str(), it.left.as_str(), it.right.as_str()]);
    }
    writeln!(text, "{table}").expect(FITS);
    for (name, event) in names.into_iter().zip([left, right]) {
        match event {
            Some(event) => told(&mut text, name, event),
            None => writeln!(text, "{name}: has ended").expect(FITS),
        }
    }
    text
}

fn told(text: &mut String, name: &str, event: &Told) {
    writeln!(text, "{name}:").expect(FITS);
    for record in &event.records {
        writeln!(text, "  {record}").expect(FITS);
    }
    for cause in &event.causes {
        writeln!(text, "    because of {cause}").expect(FITS);
    }
}
