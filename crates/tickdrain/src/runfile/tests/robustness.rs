//! Whatever the text, the answer is a configuration or faults that can be shown.

use proptest::prelude::*;

use super::resolved::LARGE;
use super::{folder, read};

proptest! {
    #[test]
    fn a_damaged_run_file_is_read_without_panic(
        cut in 0..LARGE.len(),
        length in 0usize..40,
        patch in "[\\PC\\n]{0,6}",
    ) {
        let folder = folder();
        let mut text = LARGE.to_owned();
        text.replace_range(cut..(cut + length).min(LARGE.len()), &patch);
        if let Err(faults) = read(&text, &[], folder.path()) {
            prop_assert!(!faults.is_empty());
            prop_assert!(faults.to_string().contains("error[CFG-"));
        }
    }

    #[test]
    fn an_override_is_applied_without_panic(
        key in "(strategy|data|initial|[a-z\"'.0-9é]{0,8})(\\.[a-z0-9\"é]{1,6}){0,3}",
        value in "[\\PC\\n]{0,12}",
    ) {
        let folder = folder();
        if let Err(faults) = read(LARGE, &[&format!("{key}={value}")], folder.path()) {
            prop_assert!(faults.to_string().contains("error[CFG-"));
        }
    }

    #[test]
    fn decimals_are_read_to_the_last_digit(mantissa in 0i64..1_000_000_000_000_000, scale in 0u32..18) {
        let folder = folder();
        let amount = model::Decimal::new(mantissa, scale);
        let argument = format!("initial.\"binance:BaseToken:USDT\"={amount}");
        let config = read(LARGE, &[&argument], folder.path()).unwrap();
        prop_assert!(config.initial.iter().any(|(_, found)| *found == amount));
    }
}
