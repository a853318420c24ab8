use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn ray(text: &str) -> Ray {
    Ray::of(decimal(text)).unwrap()
}

fn shown(value: Ray, places: u32) -> String {
    value.value().unwrap().round_dp(places).normalize().to_string()
}

#[test]
fn a_ray_is_ten_to_the_27() {
    assert_eq!(RAY.to_string(), format!("1{}", "0".repeat(27)));
    assert_eq!(ray("1"), Ray::ONE);
    assert_eq!(Ray::of(decimal("-1")), None);
    assert_eq!(ray("0.0000000000000000000000000015"), Ray(U256::from(2)));
    assert_eq!(ray("1.0361969326346498").value(), Some(decimal("1.0361969326346498")));
    assert_eq!(ray("12345.5").value(), Some(decimal("12345.5")));
}

/// 03 §4.3: 5 % a year over an hour, over 8,760 of them, and over a year at once.
#[test]
fn indices_grow_as_the_pool_grows_them() {
    let rate = ray("0.05");
    assert_eq!(shown(linear_growth(rate, 3_600).unwrap(), 15), "1.000005707762557");
    // The specification prints …8462, which is this number as the float next to it.
    assert_eq!(shown(compounded_growth(rate, 3_600).unwrap(), 18), "1.000005707778846385");
    let hour = linear_growth(rate, 3_600).unwrap();
    let year = (0..8_760).try_fold(Ray::ONE, |index, _| index.times(hour)).unwrap();
    assert_eq!(shown(year, 10), "1.0512709464");
    assert_eq!(shown(compounded_growth(rate, YEAR_SECONDS).unwrap(), 10), "1.0512708333");
    assert_eq!(linear_growth(rate, 0), Some(Ray::ONE));
    assert_eq!(compounded_growth(Ray::ZERO, 3_600), Some(Ray::ONE));
    let synthetic = (0..720).try_fold(Ray::ONE, |index, _| index.times(hour)).unwrap();
    assert_eq!(shown(synthetic, 9), "1.004118033", "720 hours at 5 % (06 §8.1)");
}

/// 02 §3.2 and 03 §4.3: amount, index, decimals, rounding, scaled.
#[test]
fn amounts_become_scaled_units() {
    for (amount, index, decimals, rounding, expected) in [
        ("100", "1.05", 18, Rounding::Down, "95.238095238095238095"),
        ("100", "1.05", 18, Rounding::Up, "95.238095238095238096"),
        ("50", "1.02", 18, Rounding::Up, "49.019607843137254902"),
        ("50", "1.02", 18, Rounding::Down, "49.019607843137254901"),
        ("100000", "1.0361969326346498", 6, Rounding::Down, "96506.751613"),
        ("100000", "1.0361969326346498", 8, Rounding::Down, "96506.75161307"),
        ("10", "1.02", 7, Rounding::Down, "9.8039215"),
        ("7", "1", 0, Rounding::Up, "7"),
    ] {
        let found = scaled(decimal(amount), ray(index), decimals, rounding);
        assert_eq!(found, Some(decimal(expected)), "{amount} at {index}");
    }
    assert_eq!(scaled(decimal("-1"), Ray::ONE, 6, Rounding::Down), None);
    assert_eq!(scaled(decimal("1"), Ray::ZERO, 6, Rounding::Down), None);
}

/// 02 §3.2 and 03 §4.3: scaled, index, decimals, rounding, balance.
#[test]
fn scaled_units_are_multiplied_by_the_index() {
    for (units, index, decimals, rounding, expected) in [
        ("95.238095238095238095", "1.10", 18, Rounding::Down, "104.761904761904761904"),
        ("49.019607843137254902", "1.08", 18, Rounding::Up, "52.941176470588235295"),
        ("96506.75161307", "1.1057484356554956", 8, Rounding::Down, "106712.18962634"),
        ("96506.751613", "1.1057484356554956", 6, Rounding::Down, "106712.189626"),
        ("95.2380952381", "1.10", 12, Rounding::Down, "104.76190476191"),
    ] {
        let found = balance(decimal(units), ray(index), decimals, rounding);
        assert_eq!(found, Some(decimal(expected)), "{units} at {index}");
    }
}

/// 03 §4.3: base 0, s1 4 %, U* 0.9, s2 60 %, RF 10 %.
#[test]
fn rates_follow_the_kink() {
    let curve = RateCurve {
        base: Decimal::ZERO,
        slope1: decimal("0.04"),
        slope2: decimal("0.6"),
        optimal: decimal("0.9"),
        reserve_factor: decimal("0.1"),
    };
    for (cash, debt, utilization, borrow, supply) in [
        ("20", "80", "0.8", "0.035556", "0.0256"),
        ("10", "90", "0.9", "0.04", "0.0324"),
        ("5", "95", "0.95", "0.34", "0.2907"),
        ("0", "0", "0", "0", "0"),
    ] {
        let rates = curve.rates(decimal(cash), decimal(debt));
        let shown = [rates.utilization, rates.borrow, rates.supply]
            .map(|rate| rate.round_dp(6).normalize());
        assert_eq!(shown, [utilization, borrow, supply].map(decimal), "{cash} and {debt}");
    }
}

proptest! {
    /// T4.5: what is supplied and withdrawn at once comes back, but for one unit at most.
    #[test]
    fn the_pool_never_pays_more_than_it_got(units in 1u64..u64::MAX, growth in 0u64..9_000_000_000, decimals in 0u32..19) {
        let amount = Decimal::from_i128_with_scale(units.into(), decimals);
        let index = Ray::of(Decimal::ONE + Decimal::new(growth.cast_signed(), 9)).unwrap();
        let minted = scaled(amount, index, decimals, Rounding::Down).unwrap();
        let paid = balance(minted, index, decimals, Rounding::Down).unwrap();
        let smallest = Decimal::new(1, decimals);
        // One scaled unit is worth `index` units, so that is what rounding can cost.
        let most = smallest * index.value().unwrap() + smallest;
        prop_assert!(paid <= amount && amount - paid <= most);
        let owed = scaled(amount, index, decimals, Rounding::Up).unwrap();
        prop_assert!(balance(owed, index, decimals, Rounding::Up).unwrap() >= amount);
    }

    #[test]
    fn an_index_never_falls(rate in 0u64..5_000_000_000, seconds in 0u64..200_000_000) {
        let rate = Ray::of(Decimal::new(rate.cast_signed(), 9)).unwrap();
        let (linear, compounded) = (linear_growth(rate, seconds).unwrap(), compounded_growth(rate, seconds).unwrap());
        prop_assert!(linear >= Ray::ONE && compounded >= linear);
    }
}
