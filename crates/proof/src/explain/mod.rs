//! Explanation: why an order did what it did, why a tick did nothing, and what profit came from.

pub mod order;
pub mod pnl;
pub mod tick;

/// Part of an explanation: a heading and what is to say under it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chapter {
    /// The heading.
    pub title: String,
    /// A line each.
    pub lines: Vec<String>,
}

impl Chapter {
    fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), lines: Vec::new() }
    }

    fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }
}

/// The conditions of a decision, as the log has them: `name value threshold yes; …`.
///
/// A name may have blanks, so a condition is read from its end.
fn conditions(text: &str) -> Vec<String> {
    let each = text.split("; ").filter(|condition| !condition.is_empty());
    each.map(|condition| {
        let mut parts = condition.rsplitn(4, ' ');
        let (passed, threshold, value) = (parts.next(), parts.next(), parts.next());
        let name = parts.next().unwrap_or_default();
        let (value, threshold) = (value.unwrap_or_default(), threshold.unwrap_or_default());
        let distance = match (value.parse::<f64>(), threshold.parse::<f64>()) {
            (Ok(value), Ok(threshold)) => format!(", off by {:.6}", value - threshold),
            _ => String::new(),
        };
        match passed {
            Some("yes") => format!("yes  {name}: {value} against {threshold}"),
            _ => format!("no   {name}: {value} against {threshold}{distance}"),
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_told_with_what_they_miss() {
        assert_eq!(
            conditions("fast above slow 99.5 100 no; bars seen 30 30 yes"),
            [
                "no   fast above slow: 99.5 against 100, off by -0.500000",
                "yes  bars seen: 30 against 30"
            ]
        );
        assert!(conditions("").is_empty());
    }
}
