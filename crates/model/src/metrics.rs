//! Performance of an equity curve, on daily UTC marks.
//!
//! Convention, printed beside every number: daily UTC marks, A = 365, rf = 0, ddof = 1. An undefined
//! value is an error with its reason, never a number.

use crate::time::UtcMillis;

/// What [`Performance`] is computed from, for tables and files.
pub const CONVENTION: &str = "daily UTC marks, A=365, rf=0, ddof=1";

/// Periods of a year for daily marks.
const DAYS_PER_YEAR: f64 = 365.0;

/// Equity at the end of every UTC day: the starting capital first, missing days carried forward.
#[derive(Clone, Debug)]
pub struct DailyMarks {
    marks: Vec<f64>,
    day: i64,
}

impl DailyMarks {
    /// Starts with the capital at the instant at which the first bar opens.
    pub fn starting_at(start: UtcMillis, capital: f64) -> Self {
        Self { marks: vec![capital], day: start.day_closed() }
    }

    /// Takes the equity at `ts`, which is not before the one taken last.
    pub fn take(&mut self, ts: UtcMillis, equity: f64) {
        let last = self.marks.len() - 1;
        let day = ts.day_closed();
        if day == self.day && last > 0 {
            self.marks[last] = equity;
            return;
        }
        let previous = self.marks[last];
        for _ in self.day + 1..day {
            self.marks.push(previous);
        }
        self.marks.push(equity);
        self.day = day;
    }

    /// The marks so far.
    pub fn marks(&self) -> &[f64] {
        &self.marks
    }
}

/// Why a metric has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undefined {
    /// Fewer marks than the formula needs.
    #[error("needs at least {needed} daily returns, has {found}")]
    TooShort {
        /// Returns that the formula needs.
        needed: usize,
        /// Returns that there are.
        found: usize,
    },
    /// Nothing moved.
    #[error("equity did not move")]
    NoMovement,
    /// No drawdown to divide by.
    #[error("no drawdown")]
    NoDrawdown,
    /// The starting capital is not positive, or equity was lost.
    #[error("equity is not positive")]
    NotPositive,
}

/// A metric or the reason why there is none.
pub type Metric = Result<f64, Undefined>;

/// Figures of a curve of daily marks.
#[derive(Clone, Debug, PartialEq)]
pub struct Performance {
    /// Eₙ/E₀ − 1.
    pub total_return: Metric,
    /// (Eₙ/E₀)^(365/days) − 1.
    pub cagr: Metric,
    /// Sample standard deviation of daily returns times √365.
    pub volatility: Metric,
    /// Mean over sample standard deviation of daily returns, times √365.
    pub sharpe: Metric,
    /// Mean over the root mean square of negative returns (over all days), times √365.
    pub sortino: Metric,
    /// CAGR over maximum drawdown.
    pub calmar: Metric,
    /// Largest fall from a peak as a share of that peak; zero or more.
    pub max_drawdown: Metric,
}

impl Performance {
    /// Figures of `marks`, which start with the capital.
    ///
    /// Source: specification 11 §13.5, pinned by the golden curve of 11 §13.4.
    pub fn of(marks: &[f64]) -> Self {
        let returns: Vec<f64> = marks.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
        let positive = marks.iter().all(|mark| *mark > 0.0);
        let needs = |needed: usize| match returns.len() {
            _ if !positive => Err(Undefined::NotPositive),
            found if found < needed => Err(Undefined::TooShort { needed, found }),
            found => Ok(count(found)),
        };
        let total_return = needs(1).map(|_| marks[marks.len() - 1] / marks[0] - 1.0);
        let cagr = needs(1)
            .and_then(|days| Ok(libm::pow(1.0 + total_return?, DAYS_PER_YEAR / days) - 1.0));
        let deviation = needs(2).map(|_| sample_deviation(&returns));
        let sharpe = deviation.and_then(|deviation| match deviation {
            0.0 => Err(Undefined::NoMovement),
            _ => Ok(mean(&returns) / deviation * DAYS_PER_YEAR.sqrt()),
        });
        let max_drawdown =
            if positive { Ok(max_drawdown(marks)) } else { Err(Undefined::NotPositive) };
        let calmar = max_drawdown.and_then(|fall| match fall {
            0.0 => Err(Undefined::NoDrawdown),
            _ => Ok(cagr? / fall),
        });
        Self {
            total_return,
            cagr,
            volatility: deviation.map(|deviation| deviation * DAYS_PER_YEAR.sqrt()),
            sharpe,
            sortino: needs(2).and_then(|_| sortino(&returns)),
            calmar,
            max_drawdown,
        }
    }
}

fn sortino(returns: &[f64]) -> Metric {
    let squares: f64 = returns.iter().map(|r| r.min(0.0) * r.min(0.0)).sum();
    match (squares / count(returns.len())).sqrt() {
        0.0 => Err(Undefined::NoDrawdown),
        downside => Ok(mean(returns) / downside * DAYS_PER_YEAR.sqrt()),
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values.len())
}

fn sample_deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (squares / count(values.len() - 1)).sqrt()
}

fn max_drawdown(marks: &[f64]) -> f64 {
    let mut peak = f64::MIN;
    marks.iter().fold(0.0, |worst: f64, mark| {
        peak = peak.max(*mark);
        worst.max(1.0 - mark / peak)
    })
}

#[expect(clippy::cast_precision_loss, reason = "a count of days, far below 2^53")]
fn count(length: usize) -> f64 {
    length as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::DAY_MS;

    /// Relative tolerance of the specification's vectors, which are printed to six places.
    fn close_to(found: Metric, expected: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{found} ≠ {expected}");
    }

    #[test]
    fn the_short_curve_of_the_specification() {
        let performance = Performance::of(&[100.0, 110.0, 99.0, 108.9]);
        close_to(performance.volatility, 2.206_052_3);
        close_to(performance.sharpe, 5.515_130_7);
        close_to(performance.max_drawdown, 0.1);
    }

    #[test]
    fn the_golden_curve_of_the_specification() {
        let marks: Vec<f64> =
            "100000,99200,99750,101300,100900,102450,103100,102200,100650,101050,\
             102900,104150,103600,105250,106000,105100,103350,101900,102750,104800,106450,107200,\
             106300,108150,109400,108700,107250,108900,110350,109800,111600"
                .split(',')
                .map(|mark| mark.trim().parse().unwrap())
                .collect();
        let performance = Performance::of(&marks);
        close_to(performance.total_return, 0.116);
        close_to(performance.cagr, 2.801_144);
        close_to(performance.volatility, 0.226_935);
        close_to(performance.sharpe, 6.004_367);
        close_to(performance.sortino, 10.944_188);
        close_to(performance.calmar, 72.419_831);
        close_to(performance.max_drawdown, 0.038_679);
    }

    #[test]
    fn an_undefined_metric_says_why() {
        let flat = Performance::of(&[100.0, 100.0, 100.0]);
        assert_eq!(flat.sharpe, Err(Undefined::NoMovement));
        assert_eq!(flat.calmar, Err(Undefined::NoDrawdown));
        let single = Performance::of(&[100.0]);
        assert_eq!(single.total_return, Err(Undefined::TooShort { needed: 1, found: 0 }));
        assert_eq!(Performance::of(&[100.0, -1.0]).cagr, Err(Undefined::NotPositive));
    }

    #[test]
    fn the_last_equity_of_a_utc_day_is_its_mark_and_missing_days_are_carried() {
        let midnight = |day: i64| UtcMillis::new(day * DAY_MS);
        let mut marks = DailyMarks::starting_at(midnight(10), 100.0);
        marks.take(UtcMillis::new(10 * DAY_MS + 1), 101.0);
        marks.take(midnight(11), 102.0);
        marks.take(midnight(14), 103.0);
        assert_eq!(marks.marks(), [100.0, 102.0, 102.0, 102.0, 103.0]);
    }
}
