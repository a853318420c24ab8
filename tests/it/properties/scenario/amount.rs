//! Amounts and prices as whole numbers.

/// One unit of an amount or a price: all are kept as multiples of 10⁻¹².
pub(crate) const ONE: i128 = 1_000_000_000_000;
/// One basis point as a fraction of [`ONE`].
pub(crate) const BPS: i128 = ONE / 10_000;
/// Smallest price step of the instruments.
pub(crate) const TICK: i128 = ONE / 100;
/// Smallest quantity of the instruments.
pub(crate) const LOT: i128 = ONE / 1_000;

/// An amount as text, to the last digit.
pub(crate) fn text(amount: i128) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let (whole, rest) = (amount.abs() / ONE, amount.abs() % ONE);
    format!("{sign}{whole}.{rest:012}").trim_end_matches('0').trim_end_matches('.').to_owned()
}
