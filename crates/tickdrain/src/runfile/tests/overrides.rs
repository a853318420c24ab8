//! `--set key=value`.

use expect_test::expect;

use super::{SMALL, check_set, folder, read, small};

#[test]
fn overrides_reach_sections_arrays_and_quoted_keys() {
    let folder = folder();
    let config = read(
        SMALL,
        &[
            "name=7",
            "start=2024-01-01",
            "end=2024-02-01T00:00:00Z",
            "strategy.fast = 3",
            "strategy.0.fast=4",
            "data.0.gaps=skip",
            "data.interval=15m",
            "venues.binance.taker_bps=1.5",
            "execution.slippage={ model = \"fixed\", bps = 1 }",
            "initial.\"binance:BaseToken:USDT\"=5",
        ],
        folder.path(),
    )
    .unwrap();
    assert_eq!(config.name, "7");
    assert_eq!(config.strategies[0].parameters.integer("fast"), 4);
    expect![[r#"
        [(PositionKey { text: "binance:BaseToken:USDT", kind: BaseToken, venue: 7 }, 5)]
        Skip Interval(900000)
        Fixed(Bps(1))
        Some(VenueEntry { name: "binance", kind: Cex, spot: Fees { maker_bps: 10, taker_bps: 1.5 }, perp: Fees { maker_bps: 10, taker_bps: 1.5 }, rules: AccountRules { allow_negative: false, liquidation_fee_in_mmr: false, liquidation_fee_bps: 50 }, flash_fee_bps: None, flash_only: false })
    "#]].assert_eq(&format!(
        "{:?}\n{:?} {:?}\n{:?}\n{:?}\n",
        config.initial,
        config.data[0].gaps,
        config.data[0].interval,
        config.execution.slippage,
        config.venues.get("binance"),
    ));
}

#[test]
fn a_bad_value_is_shown_on_the_command_line() {
    check_set(
        SMALL,
        &["strategy.fast=0", "strategy.fats=1"],
        &expect![[r#"
            error[CFG-VALUE]: strategy.fast: found the integer 0
             --> command line:1:21
              |
            1 | --set strategy.fast=0
              |                     ^ expected a whole number from 1 to 10000 (bars)

            error[CFG-UNKNOWN-KEY]: unknown key `fats` in strategy
             --> command line:1:16
              |
            1 | --set strategy.fats=1
              |                ^^^^ expected one of kind, id, instruments, fast, slow, band, size, direction, verbose
              |
              = help: did you mean `fast`?

            2 faults in all
            exit code 78
        "#]],
    );
}

#[test]
fn an_override_that_leads_nowhere_is_shown() {
    check_set(
        SMALL,
        &["strategy", "initial.binance:BaseToken:USDT=5", "data.3.gaps=skip", "share_class.x=1"],
        &expect![[r#"
            error[CFG-SET]: found an override without `=`
             --> command line:1:7
              |
            1 | --set strategy
              |       ^^^^^^^^ expected key=value

            error[CFG-SET]: found `initial.binance:BaseToken:USDT`
             --> command line:1:7
              |
            1 | --set initial.binance:BaseToken:USDT=5
              |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected a key of the run file, such as strategy.fast or data.0.gaps
              |
              = help: quote parts with other characters: 'initial."binance:BaseToken:USDT"=1'

            error[CFG-SET]: found `3`
             --> command line:1:12
              |
            1 | --set data.3.gaps=skip
              |            ^ expected 0, the only element of `data`

            error[CFG-SET]: found a key below `share_class`, which is the string "USDT"
             --> command line:1:19
              |
            1 | --set share_class.x=1
              |                   ^ expected `share_class=…`

            4 faults in all
            exit code 2
        "#]],
    );
}

#[test]
fn several_sections_need_a_number() {
    let text =
        format!("{}[[strategy]]\nkind = \"sma_cross\"\n", small("[strategy]", "[[strategy]]"));
    check_set(
        &text,
        &["strategy.fast=3", "strategy.1.fast=99", "data=x"],
        &expect![[r#"
        error[CFG-SET]: found `fast`
         --> command line:1:16
          |
        1 | --set strategy.fast=3
          |                ^^^^ expected an element of `strategy`, from 0 to 1

        error[CFG-VALUE]: data: found the string "x"
         --> command line:1:12
          |
        1 | --set data=x
          |            ^ expected a table

        2 faults in all
        exit code 78
    "#]],
    );
}

#[test]
fn an_override_can_add_what_the_file_lacks() {
    let folder = folder();
    let text = small("[strategy]\nkind = \"sma_cross\"\n", "");
    let config = read(&text, &["strategy.kind=sma_cross", "engine.batch_rows=1"], folder.path());
    assert_eq!(config.unwrap().engine.batch_rows, 1);
}
