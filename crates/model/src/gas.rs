//! Gas: units that operations and groups of them take, and what they cost (02 §3.3).

use rust_decimal::Decimal;

use crate::handshake::Gas;
use crate::lending::rounded_up;
use crate::operation::Operation;

/// Units of the approval of a token for a spender, once for each pair.
pub const APPROVAL_UNITS: u64 = 55_000;

/// Units of entering an e-mode, once.
pub const EMODE_UNITS: u64 = 55_000;

/// Units of an atomic group that enters a leveraged position.
pub const ATOMIC_ENTRY_UNITS: u64 = 1_250_000;

/// Units of an atomic group that leaves one with one swap.
pub const ATOMIC_EXIT_UNITS: u64 = 850_000;

/// Units of an atomic group that leaves one with two swaps.
pub const ATOMIC_EXIT_TWO_SWAPS_UNITS: u64 = 1_100_000;

/// Decimals of ETH.
const ETH_DECIMALS: u32 = 18;

/// Units of an operation on its own; zero for trades, which need no chain.
///
/// Flash loans take part in groups alone and are not listed: their units are those of the group's
/// class, and nothing where the group has none. Source: 02 §3.3.
pub const fn units(operation: Operation) -> u64 {
    match operation {
        Operation::SpotTrade
        | Operation::PerpTrade
        | Operation::FlashBorrow
        | Operation::FlashRepay => 0,
        Operation::Supply => 250_000,
        Operation::Withdraw => 220_000,
        Operation::Borrow => 300_000,
        Operation::Repay => 280_000,
        Operation::Stake | Operation::ClaimReward | Operation::Unwrap => 150_000,
        Operation::Unstake => 200_000,
        Operation::Swap => 180_000,
        Operation::Transfer => 65_000,
    }
}

/// Units of a whole atomic group: those of its class, else the sum of its members'.
///
/// An entry borrows against what a flash loan supplied; an exit repays and withdraws with one, and
/// swaps once or twice. Source: 02 §3.3.
pub fn group_units(members: &[Operation]) -> u64 {
    class_units(members).unwrap_or_else(|| members.iter().copied().map(units).sum())
}

fn class_units(members: &[Operation]) -> Option<u64> {
    let count = |wanted: Operation| members.iter().filter(|member| **member == wanted).count();
    let has = |wanted: &[Operation]| wanted.iter().all(|wanted| count(*wanted) == 1);
    if !has(&[Operation::FlashBorrow, Operation::FlashRepay]) {
        return None;
    }
    let (enters, leaves) = (
        has(&[Operation::Supply, Operation::Borrow]) && count(Operation::Repay) == 0,
        has(&[Operation::Repay, Operation::Withdraw]) && count(Operation::Borrow) == 0,
    );
    match (enters, leaves, count(Operation::Swap)) {
        (true, false, _) => Some(ATOMIC_ENTRY_UNITS),
        (false, true, 1) => Some(ATOMIC_EXIT_UNITS),
        (false, true, 2) => Some(ATOMIC_EXIT_TWO_SWAPS_UNITS),
        _ => None,
    }
}

/// What `units` cost at `gwei` per unit: units · gwei · 10⁻⁹ · multiplier, up at the decimals of ETH.
///
/// Positive. Source: 02 §3.3, vector `gas_costs_what_the_chain_takes`.
pub fn cost(units: u64, gwei: Decimal, multiplier: Decimal) -> Gas {
    let exact = Decimal::from(units) * gwei * Decimal::new(1, 9) * multiplier;
    Gas { units, gwei, eth: rounded_up(exact, ETH_DECIMALS).normalize() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gas_costs_what_the_chain_takes() {
        for (units, gwei, eth) in [
            (150_000, "5.31", "0.0007965"),
            (1_250_000, "11.71", "0.0146375"),
            (1, "0.0000000001", "0.000000000000000001"),
        ] {
            let gas = cost(units, gwei.parse().unwrap(), Decimal::ONE);
            assert_eq!(gas.eth, eth.parse().unwrap(), "{units} at {gwei}");
        }
        let doubled = cost(150_000, "5.31".parse().unwrap(), Decimal::TWO);
        assert_eq!(doubled.eth, "0.001593".parse().unwrap());
    }

    #[test]
    fn a_group_costs_its_class_or_the_sum_of_its_members() {
        for (members, units) in [
            ("flash_borrow stake supply borrow flash_repay", 1_250_000),
            ("flash_borrow swap supply borrow flash_repay", 1_250_000),
            ("flash_borrow repay withdraw swap flash_repay", 850_000),
            ("flash_borrow repay withdraw swap swap flash_repay", 1_100_000),
            ("flash_borrow repay withdraw flash_repay", 500_000),
            ("stake supply borrow", 700_000),
            ("swap", 180_000),
            ("transfer unstake unwrap", 415_000),
            ("", 0),
        ] {
            let members: Vec<Operation> =
                members.split_whitespace().map(|name| name.parse().unwrap()).collect();
            assert_eq!(group_units(&members), units, "{members:?}");
        }
    }
}
