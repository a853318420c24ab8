//! Bytes as a run file.

use std::path::Path;

use tickdrain::App;
use tickdrain::runfile::config::RunConfig;

use super::Outcome;

/// Reads bytes as a run file beside the bundled data; what follows a zero byte is an override.
///
/// What comes out is a configuration that reads itself again, or faults that can be shown.
pub fn run_file(bytes: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split('\0');
    let text = parts.next().unwrap_or_default();
    let overrides: Vec<String> = parts.map(str::to_owned).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    let app = App::new();
    let catalog = app.catalog();
    match RunConfig::from_str("run.toml", text, &folder, &overrides, catalog) {
        Ok(config) => {
            let resolved = config.resolved().to_string();
            let again = RunConfig::from_str("run.toml", &resolved, &folder, &[], catalog);
            let again = again.unwrap_or_else(|faults| panic!("{resolved}\n{faults}"));
            assert_eq!(again.resolved(), config.resolved());
            assert_eq!(again.semantic_toml(), config.semantic_toml());
            config.build_strategies(catalog).expect("its parameters were validated");
            Outcome::Taken
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            assert!(faults.to_string().contains("error["), "{faults}");
            Outcome::Refused
        }
    }
}
