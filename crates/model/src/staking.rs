//! Liquid staking: how coins become tokens, what these are worth, and what a claim pays.
//!
//! A rate is what one token is worth in coins. Source: 03 §4.4, 02 §3.2.

use rust_decimal::Decimal;

use crate::lending::rounded_down;

/// Tokens minted for `coins` at `rate` coins per token: q/r, down at the token's decimals.
///
/// `None` unless the rate is positive. Vector: `staked_eth_becomes_weeth`.
pub fn minted(coins: Decimal, rate: Decimal, decimals: u32) -> Option<Decimal> {
    (rate > Decimal::ZERO).then(|| coins.checked_div(rate))?.map(|tokens| {
        let tokens = rounded_down(tokens, decimals);
        // A quotient has 28 digits and may have been rounded up in the last of them.
        if tokens * rate > coins { tokens - Decimal::new(1, decimals) } else { tokens }
    })
}

/// Coins that `tokens` are worth at `rate`: q·r, not rounded. Shares of a rebasing token are its
/// tokens, and pooled coins per share its rate.
pub fn worth(tokens: Decimal, rate: Decimal) -> Decimal {
    tokens * rate
}

/// Gain of `tokens` over a step in which the rate went from `before` to `after`; signed, in coins.
pub fn gain(tokens: Decimal, before: Decimal, after: Decimal) -> Decimal {
    tokens * (after - before)
}

/// Coins of a claim for `tokens` that are given back at `rate`: fixed at the request, down at the
/// coin's decimals; nothing is earned while queued.
pub fn claimed(tokens: Decimal, rate: Decimal, decimals: u32) -> Decimal {
    rounded_down(worth(tokens, rate), decimals)
}

/// What a claim of `coins` pays when it matures: all of it, or less if the final rate is lower.
///
/// `x · min(1, r_final / r_request)`, down at the coin's decimals; `None` unless the rate at the
/// request is positive. Source: 03 §4.4.
pub fn paid_out(
    coins: Decimal,
    rate_at_request: Decimal,
    final_rate: Decimal,
    decimals: u32,
) -> Option<Decimal> {
    if final_rate >= rate_at_request {
        return (rate_at_request > Decimal::ZERO).then_some(coins);
    }
    let paid = coins.checked_mul(final_rate)?.checked_div(rate_at_request)?;
    Some(rounded_down(paid, decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn staked_eth_becomes_weeth() {
        for (coins, rate, tokens) in
            [("10", "1.0565470382", "9.46479394"), ("100", "1.03816", "96.32426601")]
        {
            let found = minted(decimal(coins), decimal(rate), 18).unwrap();
            assert_eq!(found.round_dp(8), decimal(tokens));
            assert!(worth(found, decimal(rate)) <= decimal(coins));
        }
        assert_eq!(minted(decimal("1"), Decimal::ZERO, 18), None);
    }

    /// 03 §4.4: the quantity stays, the rate grows; and the chain of a supplied token (03 §4.3).
    #[test]
    fn tokens_gain_with_their_rate() {
        let held = decimal("96.32426601");
        assert_eq!(worth(held, decimal("1.05655")).round_dp(8), decimal("101.77140325"));
        let gained = gain(held, decimal("1.03816"), decimal("1.05655"));
        assert_eq!(gained.round_dp(6), decimal("1.771403"));
        assert!(gain(held, decimal("1.05655"), decimal("1.0565")) < Decimal::ZERO);
        let supplied = worth(decimal("95.2380952381"), decimal("1.10"));
        let ether = worth(supplied, decimal("1.0256"));
        assert_eq!(ether.round_dp(4), decimal("107.4438"));
        assert_eq!((ether * decimal("3305.20")).round_dp(0), decimal("355123"));
    }

    #[test]
    fn a_claim_pays_what_was_requested_or_less() {
        let claim = claimed(decimal("10"), decimal("1.0565470382"), 18);
        assert_eq!(claim, decimal("10.565470382"));
        let paid = |last: &str| paid_out(claim, decimal("1.0565470382"), decimal(last), 18);
        assert_eq!(paid("1.06"), Some(claim), "no yield while queued");
        assert_eq!(paid("1.0565470382"), Some(claim));
        assert_eq!(paid("1.0562"), Some(decimal("10.562")), "a lower final rate (03 §4.4)");
        assert_eq!(paid_out(claim, Decimal::ZERO, Decimal::ONE, 18), None);
    }
}
