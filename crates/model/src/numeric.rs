//! Floats next to decimals: the decimal that a float means, and sums that keep their last bits.

use rust_decimal::Decimal;

/// Number of decimal places of [`FixedPoint`].
const FIXED_PLACES: u32 = 18;

/// Numbers of at most 15 digits are told apart by floats; of two with 16, one float may mean both.
const FIFTEEN_DIGITS: f64 = 1e15;
const FIFTEEN_DIGITS_WHOLE: i64 = 1_000_000_000_000_000;

/// The decimal that a float stands for: the shortest one that reads back as the same float.
///
/// Market data arrives as `f64`; 0.1 in a file means one tenth, not
/// 0.1000000000000000055511151231257827. `None` for NaN, infinities and numbers that 28 digits
/// cannot hold.
pub fn decimal_of(value: f64) -> Option<Decimal> {
    if let Some(mantissa) = eight_places(value) {
        return Some(trimmed(mantissa));
    }
    if !value.is_finite() {
        return None;
    }
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(value);
    let decimal = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()?;
    Some(decimal.normalize())
}

/// A decimal on a fixed scale of 18 places, for sums and comparisons without rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FixedPoint(i128);

impl FixedPoint {
    /// The value as an integer number of 10⁻¹⁸.
    pub const fn units(self) -> i128 {
        self.0
    }

    /// The decimal that `value` stands for, as in [`decimal_of`]; `None` if it needs more places.
    pub fn of(value: f64) -> Option<Self> {
        if let Some(mantissa) = eight_places(value) {
            return Some(Self(i128::from(mantissa) * 10_000_000_000));
        }
        let decimal = decimal_of(value)?;
        let factor = 10_i128.checked_pow(FIXED_PLACES.checked_sub(decimal.scale())?)?;
        decimal.mantissa().checked_mul(factor).map(Self)
    }

    /// As [`of`](Self::of), but what needs more places is rounded to 18.
    ///
    /// `None` for NaN, infinities and numbers that 28 digits cannot hold.
    pub fn rounded(value: f64) -> Option<Self> {
        Self::of(value).or_else(|| {
            // A float has 17 digits at most: only one below a tenth can need more than 18 places.
            let text = (value.abs() < 1.0).then(|| format!("{value:.18}"))?;
            let decimal = Decimal::from_str_exact(&text).ok()?;
            (decimal.scale() == FIXED_PLACES).then_some(Self(decimal.mantissa()))
        })
    }
}

/// The integer n with n / 10⁸ = `value`, if the float is the one nearest to such a number.
///
/// Holds for nearly every price, and costs a multiplication and a division.
fn eight_places(value: f64) -> Option<i64> {
    let scaled = value * 1e8;
    // Neither what is larger nor what is not a number.
    let is_small = scaled.abs() < FIFTEEN_DIGITS;
    if !is_small {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 10^15 in size")]
    let whole = scaled as i64;
    // `round` is a call; below 2^53 the fraction is exact.
    #[expect(clippy::cast_precision_loss, reason = "below 10^15 in size")]
    let fraction = scaled - whole as f64;
    let nearest = whole + i64::from(fraction >= 0.5) - i64::from(fraction <= -0.5);
    #[expect(clippy::cast_precision_loss, reason = "at most 10^15 in size")]
    let back = nearest as f64 / 1e8;
    #[expect(
        clippy::float_cmp,
        reason = "the question is whether the division gives back this float"
    )]
    let is_same = back == value;
    (is_same && nearest.abs() < FIFTEEN_DIGITS_WHOLE).then_some(nearest)
}

/// `mantissa` / 10⁸ without zeros at its end: what `normalize` makes of it digit by digit.
fn trimmed(mut mantissa: i64) -> Decimal {
    if mantissa % 100_000_000 == 0 {
        return Decimal::new(mantissa / 100_000_000, 0);
    }
    let mut scale = 8;
    for (zeros, power) in [(4, 10_000), (2, 100), (1, 10)] {
        if mantissa % power == 0 {
            mantissa /= power;
            scale -= zeros;
        }
    }
    Decimal::new(mantissa, scale)
}

/// The float nearest to a decimal.
pub fn float_of(value: Decimal) -> f64 {
    let mantissa = value.mantissa();
    if mantissa.unsigned_abs() < (1 << 53) && value.scale() <= 22 {
        #[expect(clippy::cast_possible_truncation, reason = "below 2^53")]
        let mantissa = mantissa as i64;
        // Both numbers are exact as floats, so the one division rounds correctly.
        #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
        return mantissa as f64 / POWERS_OF_TEN[value.scale() as usize];
    }
    // Reading the digits is the one correctly rounded conversion in the standard library.
    value.to_string().parse().unwrap_or(f64::NAN)
}

/// 10⁰ to 10²², all exact as floats.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// An unevaluated sum of two floats that carries about 32 digits.
///
/// Valuations are floats, but a sum of positions must not lose the last bits of any of them:
/// whatever is added up this way is rounded once, at the end. Source: T. J. Dekker, "A
/// floating-point technique for extending the available precision" (1971).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DoubleFloat {
    high: f64,
    low: f64,
}

impl DoubleFloat {
    /// Zero.
    pub const ZERO: Self = Self { high: 0.0, low: 0.0 };

    /// The two floats that together stand for `value`, to about 32 digits.
    pub fn of(value: Decimal) -> Self {
        let mantissa = value.mantissa();
        if mantissa.unsigned_abs() < (1 << 53) {
            // Nearly every amount, and exact as one float: integers of 128 bits take long.
            #[expect(clippy::cast_possible_truncation, reason = "below 2^53")]
            let mantissa = mantissa as i64;
            #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
            return Self::exactly(mantissa as f64).shifted(value.scale());
        }
        #[expect(clippy::cast_precision_loss, reason = "what it loses is the low part")]
        let high = mantissa as f64;
        #[expect(clippy::cast_possible_truncation, reason = "a rounded integer below 2^97")]
        let rest = mantissa - high as i128;
        #[expect(clippy::cast_precision_loss, reason = "below 2^53: half a unit of the high part")]
        let low = rest as f64;
        Self { high, low }.shifted(value.scale())
    }

    /// The quotient with a power of ten, which is exact as one float up to 10²², as two beyond.
    fn shifted(self, scale: u32) -> Self {
        let places = scale as usize;
        let first = places.min(POWERS_OF_TEN.len() - 1);
        let whole = self.over(POWERS_OF_TEN[first]);
        if first == places { whole } else { whole.over(POWERS_OF_TEN[places - first]) }
    }

    /// The quotient with one float.
    #[must_use]
    pub fn over(self, divisor: f64) -> Self {
        let quotient = self.high / divisor;
        let (product, error) = two_product(quotient, divisor);
        let rest = (self.high - product) - error + self.low;
        let (high, low) = two_sum(quotient, rest / divisor);
        Self { high, low }
    }

    /// One float, as it is.
    pub const fn exactly(value: f64) -> Self {
        Self { high: value, low: 0.0 }
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let (high, error) = two_sum(self.high, other.high);
        let (high, low) = two_sum(high, error + (self.low + other.low));
        Self { high, low }
    }

    /// The product with one float.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let (high, error) = two_product(self.high, factor);
        let (high, low) = two_sum(high, error + self.low * factor);
        Self { high, low }
    }

    /// The nearest float.
    pub fn value(self) -> f64 {
        self.high + self.low
    }
}

fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    let error = (a - (sum - b_part)) + (b - b_part);
    (sum, error)
}

fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let (a_high, a_low) = split(a);
    let (b_high, b_low) = split(b);
    let error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    (product, error)
}

/// Splits a float into two of 26 bits, so that products of the halves are exact.
fn split(value: f64) -> (f64, f64) {
    let scaled = value * 134_217_729.0;
    let high = scaled - (scaled - value);
    (high, value - high)
}

/// Distance of two floats of one sign in units in the last place.
pub fn ulps_between(a: f64, b: f64) -> u64 {
    a.to_bits().abs_diff(b.to_bits())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_float_means_the_shortest_decimal_that_reads_back() {
        for text in
            ["0.1", "42000.5", "0.00002853", "0.000000001234", "123456789.12345678", "1e-12"]
        {
            let expected = Decimal::from_str_exact(text)
                .or_else(|_| Decimal::from_scientific(text))
                .unwrap()
                .normalize();
            assert_eq!(decimal_of(text.parse().unwrap()), Some(expected), "{text}");
        }
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            assert_eq!(decimal_of(value), None, "{value}");
        }
    }

    #[test]
    fn what_needs_more_than_18_places_is_rounded() {
        let rounded = |value| FixedPoint::rounded(value).map(FixedPoint::units);
        for (value, units) in [
            (0.000_012_345_678_901_234_5, 12_345_678_901_235),
            (-0.000_012_345_678_901_234_5, -12_345_678_901_235),
            (1.234_567_890_123_456e-17, 12),
            (1e-300, 0),
            (0.1, 100_000_000_000_000_000),
            (1e15, 1_000_000_000_000_000 * 1_000_000_000_000_000_000),
        ] {
            assert_eq!(rounded(value), Some(units), "{value}");
        }
        assert_eq!(FixedPoint::of(0.000_012_345_678_901_234_5), None);
        for value in [f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(rounded(value), None, "{value}");
        }
    }

    #[test]
    fn a_sum_of_two_floats_keeps_what_one_float_loses() {
        let thirds = DoubleFloat::of(Decimal::new(1, 0) / Decimal::new(3, 0));
        let sum = thirds.plus(thirds).plus(thirds);
        assert!((sum.value() - 1.0).abs() < f64::EPSILON);
        let large = DoubleFloat::exactly(1e16).plus(DoubleFloat::exactly(1.0));
        assert!((large.plus(DoubleFloat::exactly(-1e16)).value() - 1.0).abs() < f64::EPSILON);
    }

    proptest! {
        #[test]
        fn decimals_survive_the_way_through_a_float(mantissa in -999_999_999_999_999i64..999_999_999_999_999, scale in 0u32..16) {
            let decimal = Decimal::new(mantissa, scale);
            prop_assert_eq!(decimal_of(float_of(decimal)), Some(decimal.normalize()));
            prop_assert_eq!(FixedPoint::of(float_of(decimal)).map(FixedPoint::units), Some(decimal.mantissa() * 10i128.pow(18 - scale)));
        }

        #[test]
        fn zeros_are_trimmed_as_by_normalizing(mantissa in -999_999_999_999_999i64..999_999_999_999_999, zeros in 0u32..16) {
            let mantissa = mantissa / 10i64.pow(zeros) * 10i64.pow(zeros);
            let expected = Decimal::from_i128_with_scale(mantissa.into(), 8).normalize();
            let found = trimmed(mantissa);
            prop_assert_eq!(found.serialize(), expected.serialize());
        }

        #[test]
        fn eight_places_are_found_as_by_rounding(value in prop_oneof![
            any::<f64>(),
            -1e16..1e16,
            (-99_999_999_999i64..99_999_999_999, 0u32..10).prop_map(|(mantissa, scale)| float_of(Decimal::new(mantissa, scale))),
        ]) {
            let scaled = (value * 1e8).round();
            let is_same = (scaled / 1e8).to_bits() == value.to_bits();
            let expected = (is_same && scaled.abs() < FIFTEEN_DIGITS).then_some(scaled);
            #[expect(clippy::cast_precision_loss, reason = "below 10^15")]
            let found = eight_places(value).map(|mantissa| mantissa as f64);
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn floats_of_decimals_are_correctly_rounded(mantissa in any::<i64>(), scale in 0u32..28) {
            let decimal = Decimal::new(mantissa, scale);
            let read: f64 = decimal.to_string().parse().unwrap();
            prop_assert_eq!(ulps_between(float_of(decimal), read), 0);
        }

        #[test]
        fn a_product_is_within_one_ulp(quantity in 1i64..i64::MAX, px in 1u32..u32::MAX) {
            let quantity = Decimal::new(quantity, 12);
            let px = f64::from(px);
            let exact = float_of(quantity * decimal_of(px).unwrap());
            prop_assert!(ulps_between(DoubleFloat::of(quantity).times(px).value(), exact) <= 1);
        }

        #[test]
        fn a_quotient_is_within_one_ulp(quantity in 1i64..i64::MAX, px in 1u32..u32::MAX) {
            let quantity = Decimal::new(quantity, 2);
            let px = f64::from(px);
            let exact = float_of(quantity / decimal_of(px).unwrap());
            prop_assert!(ulps_between(DoubleFloat::of(quantity).over(px).value(), exact) <= 1);
        }
    }
}
