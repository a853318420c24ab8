use crate::time::UtcMillis;

use super::*;

const A: KeyIx = KeyIx(0);
const B: KeyIx = KeyIx(1);

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn ray(text: &str) -> Ray {
    Ray::of(decimal(text)).unwrap()
}

fn arrival() -> Arrival {
    Arrival { at: UtcMillis::new(7), target: KeyIx(9) }
}

fn shown(effect: &Effect) -> String {
    let Ok(deltas) = effect.deltas() else { return "nothing".to_owned() };
    let shown = deltas.iter().map(|delta| {
        let arrives = if delta.arrival.is_some() { " later" } else { "" };
        format!("{}{:+}{arrives}", ["a", "b"][delta.key.index()], delta.amount.normalize())
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn supply(amount: &str, index: &str, decimals: u32) -> Effect {
    let (amount, index) = (decimal(amount), ray(index));
    Effect::Supply { token: A, a_token: B, amount, index, decimals }
}

fn withdraw(amount: Amount, held: &str, index: &str, decimals: u32) -> Effect {
    let (held, index) = (decimal(held), ray(index));
    Effect::Withdraw { token: A, a_token: B, amount, held, index, decimals }
}

fn borrow(amount: &str, index: &str) -> Effect {
    let (amount, index) = (decimal(amount), ray(index));
    Effect::Borrow { token: A, debt: B, amount, index, decimals: 18 }
}

fn repay(amount: Amount, owed: &str, index: &str) -> Effect {
    let (owed, index) = (decimal(owed), ray(index));
    Effect::Repay { token: A, debt: B, amount, owed, index, decimals: 18 }
}

fn units(text: &str) -> Amount {
    Amount::Units(decimal(text))
}

/// 02 §3.2 and §3.3: a is the token, b the scaled balance; the pool rounds in its own favour.
#[test]
fn lending_moves_scaled_units() {
    for (effect, expected) in [
        (supply("100", "1.05", 18), "a-100 b+95.238095238095238095"),
        (supply("100000", "1.0361969326346498", 6), "a-100000 b+96506.751613"),
        (supply("1.23456789", "1", 6), "a-1.234567 b+1.234567"),
        (supply("0.0000001", "1", 6), "nothing"),
        (supply("-1", "1", 6), "nothing"),
        (
            withdraw(Amount::Max, "95.238095238095238095", "1.10", 18),
            "b-95.238095238095238095 a+104.761904761904761904",
        ),
        (withdraw(units("50"), "95.2380952381", "1.10", 6), "b-45.454546 a+50"),
        (withdraw(Amount::Max, "0", "1.10", 6), "nothing"),
        (borrow("50", "1.02"), "b+49.019607843137254902 a+50"),
        (repay(units("10"), "49.019607843137254902", "1.08"), "b-9.259259259259259259 a-10"),
        (
            repay(Amount::Max, "49.019607843137254902", "1.08"),
            "b-49.019607843137254902 a-52.941176470588235295",
        ),
        (
            repay(units("60"), "49.019607843137254902", "1.08"),
            "b-49.019607843137254902 a-52.941176470588235295",
        ),
        (repay(Amount::Max, "0", "1.08"), "nothing"),
    ] {
        assert_eq!(shown(&effect), expected, "{effect:?}");
    }
}

/// 02 §3.2: staking, swaps, transfers, flash loans, rewards.
#[test]
fn operations_on_chain_move_tokens() {
    let [ten, rate, fee] = ["10", "1.0565470382", "0.5"].map(decimal);
    let swap = |px: &str, cost: &str| Effect::Swap {
        token_in: A,
        token_out: B,
        amount: ten,
        px: decimal(px),
        cost: decimal(cost),
        decimals: 6,
    };
    let transfer =
        |fee| Effect::Transfer { source: A, transit: B, amount: ten, fee, arrival: arrival() };
    let flash_repay = |rate: &str| {
        let fee_rate = decimal(rate);
        Effect::FlashRepay { token: A, debt: B, amount: ten, fee_rate, decimals: 6 }
    };
    for (effect, expected) in [
        (
            Effect::Stake { coin: A, token: B, coins: ten, rate, decimals: 18 },
            "a-10 b+9.46479393575948032",
        ),
        (
            Effect::Unstake {
                token: A,
                claim: B,
                tokens: ten,
                rate,
                decimals: 18,
                arrival: arrival(),
            },
            "a-10 b+10.565470382 later",
        ),
        (swap("3000", "0.0025"), "a-10 b+29925"),
        (swap("0.12345678", "0"), "a-10 b+1.234567"),
        (swap("0.00000001", "0"), "nothing"),
        (transfer(fee), "a-10 b+9.5 later"),
        (transfer(Decimal::ZERO), "a-10 b+10 later"),
        (transfer(ten), "nothing"),
        (Effect::FlashBorrow { token: A, debt: B, amount: ten }, "b+10 a+10"),
        (flash_repay("0.0005"), "b-10 a-10.005"),
        (flash_repay("0.00000001"), "b-10 a-10.000001"),
        (flash_repay("0"), "b-10 a-10"),
        (Effect::ClaimReward { token: A, amount: ten }, "a+10"),
        (Effect::Unwrap { token: A, amount: ten, parts: vec![(B, fee)] }, "a-10 b+0.5"),
    ] {
        assert_eq!(shown(&effect), expected, "{effect:?}");
    }
}

#[test]
fn a_group_is_the_sum_of_its_members() {
    let amount = decimal("10");
    let members = [
        Effect::FlashBorrow { token: A, debt: B, amount },
        Effect::FlashRepay { token: A, debt: B, amount, fee_rate: decimal("0.0005"), decimals: 18 },
    ];
    let deltas: Vec<Delta> = members.iter().flat_map(|it| it.deltas().unwrap()).collect();
    let nets = net_per_key(&deltas);
    assert_eq!(nets, [Delta::new(A, decimal("-0.005"), Cause::Trade)]);
    assert!(net_per_key(&[]).is_empty());
}
