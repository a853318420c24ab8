//! Streaming indicators; exact where a tie matters.

use model::numeric::FixedPoint;

/// Sum of the last `length` values, exact.
///
/// A running sum of floats drifts, and two averages of equal prices would differ in the last bit:
/// a cross that never was. Sums of decimals on one scale cannot drift.
#[derive(Clone, Debug)]
pub struct RollingSum {
    length: usize,
    /// In the order of arrival until the window is full; then each takes the place of the oldest.
    values: Vec<i128>,
    oldest: usize,
    sum: i128,
}

impl RollingSum {
    /// A window of `length` values; at least 1.
    pub fn new(length: usize) -> Self {
        Self { length, values: Vec::with_capacity(length), oldest: 0, sum: 0 }
    }

    /// Takes the next value and drops the oldest, once the window is full.
    #[inline]
    pub fn push(&mut self, value: FixedPoint) {
        let value = value.units();
        self.sum += value;
        if self.values.len() < self.length {
            self.values.push(value);
            return;
        }
        self.sum -= std::mem::replace(&mut self.values[self.oldest], value);
        self.oldest = if self.oldest + 1 == self.length { 0 } else { self.oldest + 1 };
    }

    /// Number of values in a full window.
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Number of values seen, up to the length of the window.
    pub fn seen(&self) -> usize {
        self.values.len()
    }

    /// The average over a full window; `None` before it is full.
    #[expect(clippy::cast_precision_loss, reason = "an average is shown as a float")]
    pub fn full_average(&self) -> Option<f64> {
        Some(self.full_sum()? as f64 / 1e18 / self.length as f64)
    }

    /// The sum over a full window, in units of 10⁻¹⁸; `None` before it is full.
    pub fn full_sum(&self) -> Option<i128> {
        (self.values.len() == self.length).then_some(self.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_forgets_its_oldest_value_exactly() {
        let mut sum = RollingSum::new(3);
        let values = [0.1, 0.2, 0.3, 0.4, 1e8];
        let sums: Vec<Option<i128>> = values
            .iter()
            .map(|value| {
                sum.push(FixedPoint::of(*value).unwrap());
                sum.full_sum().map(|units| units / 100_000_000_000_000_000)
            })
            .collect();
        assert_eq!(sums, [None, None, Some(6), Some(9), Some(1_000_000_007)]);
    }
}
