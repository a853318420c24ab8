//! The page that a run ends with on a terminal.

use std::fmt::Write as _;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use model::order::RefusalCode;

use crate::summary::{Orders, Risk, Summary};

/// Why writing to a text cannot fail.
const FITS: &str = "a String takes everything";

/// The summary as a page: what was run, what came of it, what it cost, whether to rely on it.
pub(super) fn of(summary: &Summary) -> String {
    let mut page = heading(summary);
    page.push_str(&figures(summary).to_string());
    page.push('\n');
    page.push_str(&footing(summary));
    page
}

fn heading(summary: &Summary) -> String {
    let span = match (&summary.start, &summary.end) {
        (Some(start), Some(end)) => format!("{start} to {end}"),
        _ => "no frame".to_owned(),
    };
    let mut text = format!("{}  {span}  {} bars\n", summary.name, summary.interval);
    if summary.inputs.iter().any(|input| input.synthetic) {
        text.push_str("SYNTHETIC DATA: generated candles, not a market.\n");
    }
    match (summary.status, &summary.error) {
        ("failed", Some(error)) => writeln!(text, "FAILED: {error}").expect(FITS),
        ("interrupted", _) => {
            text.push_str("INTERRUPTED: figures up to the frame that it was at.\n");
        }
        _ => {}
    }
    if let Some(refused) = refusal_of_all(&summary.orders) {
        writeln!(text, "ALL ORDERS WERE {}: nothing was traded.", refused.to_uppercase())
            .expect(FITS);
    }
    text
}

/// How all orders of a run were refused; `None` if one of them was taken, or if there were none.
pub(super) fn refusal_of_all(orders: &Orders) -> Option<&'static str> {
    // The exits of a rejected entry are orders too, and end with it.
    let ended_with_entry =
        orders.canceled_by_reason.get(RefusalCode::ParentEnded.name()).copied().unwrap_or(0);
    let refused = orders.denied + orders.rejected;
    if refused == 0 || refused + ended_with_entry != orders.submitted {
        return None;
    }
    Some(match (orders.denied, orders.rejected) {
        (_, 0) => "denied",
        (0, _) => "rejected",
        _ => "denied or rejected",
    })
}

fn figures(summary: &Summary) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    let currency = &summary.share_class;
    let metrics = &summary.metrics;
    let why = |name: &str| {
        summary
            .metrics_undefined
            .get(name)
            .map_or_else(|| "n/a".to_owned(), |why| format!("n/a ({why})"))
    };
    let percent = |name: &str, value: Option<f64>| {
        value.map_or_else(|| why(name), |value| format!("{:+.2} %", value * 100.0))
    };
    let ratio = |name: &str, value: Option<f64>| {
        value.map_or_else(|| why(name), |value| format!("{value:.2}"))
    };
    let money = |value: f64| format!("{} {currency}", grouped(value));
    let drawdown = metrics.max_drawdown.map(|fall| -fall);
    let groups: [(&str, Vec<(&str, String)>); 5] = [
        (
            "Equity",
            vec![
                ("start", money(summary.equity_start)),
                ("end", money(summary.equity_end)),
                ("total return", percent("total_return", metrics.total_return)),
                ("CAGR", percent("cagr", metrics.cagr)),
            ],
        ),
        (
            "Risk",
            vec![
                ("volatility", percent("volatility", metrics.volatility).replace('+', "")),
                ("Sharpe", ratio("sharpe", metrics.sharpe)),
                ("Sortino", ratio("sortino", metrics.sortino)),
                ("max drawdown", percent("max_drawdown", drawdown)),
                ("time in market", share(metrics.exposure_time)),
            ]
            .into_iter()
            .chain(risks(&summary.risk))
            .collect(),
        ),
        ("Profit", parts(summary).map(|(name, amount)| (name, money(amount))).collect()),
        (
            "Trades",
            vec![
                ("round trips", grouped_count(summary.trades.count)),
                ("win rate", share(summary.trades.win_rate)),
                ("profit factor", plain(summary.trades.profit_factor)),
                ("best / worst", best_and_worst(summary)),
            ],
        ),
        (
            "Orders",
            vec![
                (
                    "filled",
                    format!(
                        "{} of {}",
                        grouped_count(summary.orders.filled),
                        grouped_count(summary.orders.submitted)
                    ),
                ),
                ("not filled", unfilled(summary)),
                ("fees", money(summary.costs.fees)),
                ("slippage", money(summary.costs.slippage)),
            ],
        ),
    ];
    for (group, rows) in groups {
        for (place, (name, value)) in rows.into_iter().enumerate() {
            let group = if place == 0 { group } else { "" };
            table.add_row([
                Cell::new(group),
                Cell::new(name),
                Cell::new(value).set_alignment(CellAlignment::Right),
            ]);
        }
    }
    table
}

/// What can be said of risk beyond that of the curve, if there was any.
fn risks(risk: &Risk) -> impl Iterator<Item = (&'static str, String)> + use<> {
    let count = |count: u64| (count > 0).then(|| grouped_count(count));
    // An account that borrows nothing comes to one, but for the rounding.
    let leverage = risk.max_leverage;
    let lines = [
        ("max leverage", (leverage >= 1.005).then(|| format!("{leverage:.2}"))),
        ("min margin", risk.min_margin_fraction.map(|margin| share(Some(margin)))),
        ("min health factor", risk.min_health_factor.map(|health| format!("{health:.3}"))),
        ("liquidations", count(risk.liquidations)),
        ("breaches", count(risk.breaches)),
    ];
    lines.into_iter().filter_map(|(name, value)| Some((name, value?)))
}

/// What profit came from, unless it is only prices and trading.
fn parts(summary: &Summary) -> impl Iterator<Item = (&'static str, f64)> {
    const TRIVIAL: [&str; 5] =
        ["delta_pnl", "gap_pnl", "transaction_costs", "unexplained", "total"];
    let shown = |amount: f64| amount.abs() >= 0.005;
    let all = summary.attribution.iter().flatten().map(|(name, amount)| (*name, *amount));
    let is_worth_it = all.clone().any(|(name, amount)| !TRIVIAL.contains(&name) && shown(amount));
    let (totals, parts): (Vec<_>, Vec<_>) = all
        .filter(|(_, amount)| is_worth_it && shown(*amount))
        .partition(|(name, _)| *name == "total");
    parts.into_iter().chain(totals)
}

fn footing(summary: &Summary) -> String {
    let fills = match summary.fill {
        "same_close" => "close that was decided on: PRONE TO LOOK-AHEAD",
        _ => "next open",
    };
    let mut text = format!("{}; fills at the {fills}\n", summary.metrics.convention);
    let orders = &summary.orders;
    for (word, reasons) in [
        ("denied", &orders.denied_by_reason),
        ("rejected", &orders.rejected_by_reason),
        ("canceled", &orders.canceled_by_reason),
    ] {
        for (code, count) in reasons {
            writeln!(text, "{word} {code}: {count}").expect(FITS);
        }
    }
    if orders.large > 0 {
        let names = orders.large_names.join(", ");
        writeln!(text, "above 10 % of a bar's volume: {} ({names})", orders.large).expect(FITS);
    }
    if summary.integrity.gaps > 0 {
        writeln!(text, "missing bars: {}", grouped_count(summary.integrity.gaps)).expect(FITS);
    }
    for policy in &summary.integrity.policies {
        writeln!(text, "policy {policy}").expect(FITS);
    }
    let timing = &summary.timing;
    writeln!(
        text,
        "{} frames, {} events in {:.2} s ({} bars/s)",
        grouped_count(summary.frames),
        grouped_count(summary.events),
        timing.wall_s,
        grouped(timing.bars_per_s.round()).trim_end_matches(".00"),
    )
    .expect(FITS);
    match &summary.digest {
        Some(digest) => write!(text, "digest {digest}").expect(FITS),
        None => text.push_str("no log, so no digest"),
    }
    text
}

fn best_and_worst(summary: &Summary) -> String {
    format!("{} / {}", grouped(summary.trades.best), grouped(summary.trades.worst))
}

fn unfilled(summary: &Summary) -> String {
    let orders = &summary.orders;
    let counts = [
        ("denied", orders.denied),
        ("rejected", orders.rejected),
        ("canceled", orders.canceled),
        ("expired", orders.expired),
        ("working", orders.working),
    ];
    let texts: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "n/a".to_owned(), |value| format!("{:.1} %", value * 100.0))
}

fn plain(value: Option<f64>) -> String {
    value.map_or_else(|| "n/a".to_owned(), |value| format!("{value:.2}"))
}

/// A number with two places and a comma every three digits.
fn grouped(value: f64) -> String {
    let text = format!("{:.2}", value.abs());
    let (whole, places) = text.split_once('.').unwrap_or((&text, "00"));
    let sign = if value < 0.0 && text != "0.00" { "-" } else { "" };
    format!("{sign}{}.{places}", with_commas(whole))
}

fn grouped_count(value: u64) -> String {
    with_commas(&value.to_string())
}

fn with_commas(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (value, text) in [
            (0.0, "0.00"),
            (-0.001, "0.00"),
            (999.5, "999.50"),
            (1_000.0, "1,000.00"),
            (-1_234_567.891, "-1,234,567.89"),
        ] {
            assert_eq!(grouped(value), text);
        }
    }
}
