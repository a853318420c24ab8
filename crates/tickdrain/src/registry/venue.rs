//! Venues of the registry: what they are, what they charge, what they allow.

use model::Decimal;
use model::instrument::MarketType;
use model::key::PositionType;

use crate::runfile::field::{Choice, Flag, Text};
use crate::runfile::number::Number;
use crate::runfile::reader::TableReader;

/// What a venue is, which decides what can be held there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VenueKind {
    /// A centralised exchange.
    Cex,
    /// A decentralised exchange.
    Dex,
    /// A lending protocol.
    Lending,
    /// A staking protocol.
    Staking,
    /// A wallet on chain.
    Wallet,
    /// Infrastructure that holds nothing: an RPC node, a bundler of flash loans.
    Infra,
    /// A service such as a model that predicts.
    Service,
}

/// The words for [`VenueKind`].
pub(crate) const VENUE_KINDS: Choice<'static, VenueKind> = Choice(&[
    ("cex", VenueKind::Cex),
    ("dex", VenueKind::Dex),
    ("lending", VenueKind::Lending),
    ("staking", VenueKind::Staking),
    ("wallet", VenueKind::Wallet),
    ("infra", VenueKind::Infra),
    ("service", VenueKind::Service),
]);

impl VenueKind {
    /// The kind as files spell it.
    pub fn name(self) -> &'static str {
        VENUE_KINDS.word(self)
    }

    /// The types of position that can be held there (specification 01 §2.4).
    pub const fn position_types(self) -> &'static [PositionType] {
        use PositionType::{AToken, BaseToken, Claim, DebtToken, FlashDebt, Lst, Perp, Transit};
        match self {
            Self::Cex => &[BaseToken, Perp, Transit],
            Self::Lending => &[AToken, DebtToken, FlashDebt],
            Self::Staking => &[Lst, Claim],
            Self::Wallet => &[BaseToken, Transit],
            Self::Dex | Self::Infra | Self::Service => &[],
        }
    }
}

/// Maker and taker fee, in basis points of the notional; negative for a rebate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fees {
    /// Fee of an order that rests first.
    pub maker_bps: Decimal,
    /// Fee of an order that takes liquidity.
    pub taker_bps: Decimal,
}

/// What a venue does with accounts that run short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountRules {
    /// Whether a balance may be negative without a perpetual's margin behind it.
    pub allow_negative: bool,
    /// Whether the taker fee counts as maintenance margin (specification 04 §6.5).
    pub liquidation_fee_in_mmr: bool,
    /// Fee of a liquidation, in basis points of the notional; inside the loss of the account.
    pub liquidation_fee_bps: Decimal,
}

/// The fee of a liquidation where nothing else is said (specification 04 §6.5).
const LIQUIDATION_FEE_BPS: Decimal = Decimal::from_parts(50, 0, 0, false, 0);

impl Default for AccountRules {
    fn default() -> Self {
        Self {
            allow_negative: false,
            liquidation_fee_in_mmr: false,
            liquidation_fee_bps: LIQUIDATION_FEE_BPS,
        }
    }
}

impl AccountRules {
    /// Reads the rules; what is absent is as in `known`.
    pub(crate) fn read(reader: &mut TableReader<'_>, known: Self) -> Self {
        let share = Number { min: Decimal::ZERO, max: FEE_BPS.max };
        Self {
            allow_negative: reader.or_default("allow_negative", &Flag, known.allow_negative),
            liquidation_fee_in_mmr: reader.or_default(
                "liquidation_fee_in_mmr",
                &Flag,
                known.liquidation_fee_in_mmr,
            ),
            liquidation_fee_bps: reader.or_default(
                "liquidation_fee_bps",
                &share,
                known.liquidation_fee_bps,
            ),
        }
    }
}

/// A venue with its fees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueEntry {
    /// Its name in keys and ids.
    pub name: Box<str>,
    /// What it is.
    pub kind: VenueKind,
    /// Fees of its spot market, and of every market that is no perpetual.
    pub spot: Fees,
    /// Fees of its perpetuals.
    pub perp: Fees,
    /// What it does with accounts that run short.
    pub rules: AccountRules,
    /// Fee of a flash loan, in basis points of the amount; `None` where it gives none.
    pub flash_fee_bps: Option<Decimal>,
    /// A lending protocol that is used for flash loans alone.
    pub flash_only: bool,
}

impl VenueEntry {
    /// A venue that charges nothing.
    pub fn new(name: &str, kind: VenueKind) -> Self {
        Self {
            name: name.into(),
            kind,
            spot: Fees::default(),
            perp: Fees::default(),
            rules: AccountRules::default(),
            flash_fee_bps: None,
            flash_only: false,
        }
    }

    /// The fees on one of its markets.
    pub const fn fees(&self, market: MarketType) -> Fees {
        match market {
            MarketType::Perp => self.perp,
            MarketType::Spot | MarketType::Pool | MarketType::Swap => self.spot,
        }
    }

    /// The types of position that can be held there.
    pub const fn position_types(&self) -> &'static [PositionType] {
        if self.flash_only { &[PositionType::FlashDebt] } else { self.kind.position_types() }
    }

    pub(super) fn read(mut reader: TableReader<'_>) -> (Option<Self>, toml::Table) {
        let name = reader.required("name", &Text("the venue's name in keys"));
        let kind = reader.required("kind", &VENUE_KINDS);
        let mut fees = |maker: &str, taker: &str| Fees {
            maker_bps: reader.or_default(maker, &FEE_BPS, Decimal::ZERO),
            taker_bps: reader.or_default(taker, &FEE_BPS, Decimal::ZERO),
        };
        let spot = fees("spot_maker_bps", "spot_taker_bps");
        let perp = fees("perp_maker_bps", "perp_taker_bps");
        let rules = AccountRules::read(&mut reader, AccountRules::default());
        let flash_fee_bps = reader.optional("flash_fee_bps", &FEE_BPS);
        let flash_only = reader.or_default("flash_only", &Flag, false);
        let venue = name.zip(kind).map(|(name, kind)| Self {
            spot,
            perp,
            rules,
            flash_fee_bps,
            flash_only,
            ..Self::new(&name, kind)
        });
        (venue, reader.finish())
    }
}

/// A fee may be a rebate; a tenth of the notional is more than any venue has ever given.
pub(crate) const FEE_BPS: Number = Number {
    min: Decimal::from_parts(1_000, 0, 0, true, 0),
    max: Decimal::from_parts(10_000, 0, 0, false, 0),
};
