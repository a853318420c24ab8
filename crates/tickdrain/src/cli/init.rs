//! `tickdrain init`.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use model::parameter::{ParameterKind, ParameterSpec};

use super::complaint;
use crate::app::App;
use crate::bundled;
use crate::catalog::CatalogEntry;
use crate::error::exit;

/// Writes a run file for a strategy into this folder.
pub(super) fn run(app: &App, kind: &str) -> u8 {
    let Some(entry) = app.catalog().get(kind) else {
        let known: Vec<&str> = app.catalog().names().collect();
        complaint::line(&format!("error[CFG-STRATEGY]: there is no strategy `{kind}`"));
        complaint::line(&format!("  expected: one of {}", known.join(", ")));
        if let Some(nearest) = app.catalog().nearest(kind) {
            complaint::line(&format!("  hint:     did you mean `{nearest}`?"));
        }
        return exit::CONFIG;
    };
    let Some(data) = bundled::folder() else {
        complaint::line("error[CFG-FILE]: the bundled data is not here");
        complaint::line("  hint:     start in the source tree");
        return exit::IO;
    };
    let path = PathBuf::from(format!("{kind}.toml"));
    let mut files = vec![(path.clone(), run_file(entry, &data))];
    let file_parameters = entry.parameters().iter().filter(|spec| spec.kind == ParameterKind::File);
    files.extend(file_parameters.map(|spec| (PathBuf::from(file_of(spec)), ORDERS.to_owned())));
    for (path, text) in files {
        let created = OpenOptions::new().write(true).create_new(true).open(&path);
        if let Err(error) = created.and_then(|mut file| file.write_all(text.as_bytes())) {
            let hint = "move the old file away, or start in another folder";
            complaint::file(&path, "CFG-FILE", &error, hint);
            return exit::IO;
        }
        say!("wrote {}", path.display());
    }
    say!("next: tickdrain backtest {}", path.display());
    0
}

fn file_of(spec: &ParameterSpec) -> String {
    format!("{}.csv", spec.name)
}

/// Requests of several kinds on the bundled hours.
const ORDERS: &str = "\
# Requests of the scripted strategy, one per line. A line that starts with # is a comment.
# decide_ts is the close of a bar: what is decided there can fill from the next bar on.
# An empty cell is a value that is not given; columns that nobody needs may be left out.
decide_ts,order_id,action,instrument,side,type,qty,price,stop_price,trail_bps,tif,expire_at,reduce_only,oco_group,parent,take_profit,stop_loss
# A purchase at the next open, with a target 3 % above the price that it gets and a stop 2 % below.
2024-01-02T00:00:00Z,enter,submit,binance:spot:BTCUSDT,buy,market,0.05,,,,,,,,,300bps,200bps
# Two orders of which one cancels the other: the price that is reached first decides.
2024-01-08T00:00:00Z,dip,submit,binance:spot:BTCUSDT,buy,limit,0.05,37500,,,gtd,2024-03-01,,either,,,
2024-01-08T00:00:00Z,rise,submit,binance:spot:BTCUSDT,buy,stop,0.05,,44000,,,,,either,,,
# A stop that follows the price at a distance of 4 % once the rise is bought; it sells just that.
2024-01-08T00:00:00Z,follow,submit,binance:spot:BTCUSDT,sell,trailing,,,,400,,,true,,rise,,
# Another price for an order that still waits, and the end of one.
2024-01-08T00:00:00Z,crash,submit,binance:spot:BTCUSDT,buy,limit,0.05,30000,,,,,,,,,
2024-01-09T00:00:00Z,dip,replace,,,,,37000,,,,,,,,,
2024-01-20T00:00:00Z,crash,cancel,,,,,,,,,,,,,,
# A share of the free cash, and later all that is held.
2024-03-01T00:00:00Z,half,submit,binance:spot:BTCUSDT,buy,market,50%,,,,,,,,,,
2024-06-03T00:00:00Z,leave,submit,binance:spot:BTCUSDT,sell,market,100%,,,,,,,,,,
";

fn run_file(entry: &CatalogEntry, data: &Path) -> String {
    let candles = data.join("binance_spot_BTCUSDT_1h.parquet");
    let mut text = format!(
        "# {summary}\n\
         # Run it: tickdrain backtest {kind}.toml\n\
         name = \"{kind}\"\n\
         share_class = \"USDT\"          # the currency of equity and profit\n\
         start = \"2024-01-01\"          # bars that open at or after\n\
         end = \"2025-01-01\"            # bars that close at or before\n\
         interval = \"1h\"               # one frame per hour; finer candles are resampled\n\
         \n\
         [initial]                     # position key = amount\n\
         \"binance:BaseToken:USDT\" = \"10000\"\n\
         \n\
         [[data]]                      # synthetic candles; put your own file here\n\
         kind = \"candles\"\n\
         of = \"binance:spot:BTCUSDT\"   # see `tickdrain instruments`\n\
         path = {path:?}\n\
         interval = \"1h\"\n\
         gaps = \"error\"                # error | skip | synthetic\n\
         \n\
         [execution]\n\
         slippage = {{ model = \"fixed\", bps = 1 }}\n\
         \n\
         [strategy]\n\
         kind = \"{kind}\"\n",
        summary = entry.summary(),
        kind = entry.name(),
        path = candles.display().to_string(),
    );
    for spec in entry.parameters() {
        let value = match (spec.default, spec.kind) {
            (
                Some(default),
                ParameterKind::Integer { .. } | ParameterKind::Flag | ParameterKind::Allocation,
            ) => default.to_owned(),
            (Some(default), _) => format!("{default:?}"),
            (None, ParameterKind::File) => format!("{:?}", file_of(spec)),
            (None, _) => {
                writeln!(text, "# {} = […]  # {}", spec.name, spec.doc)
                    .expect("a String takes all");
                continue;
            }
        };
        let line = format!("{} = {value}", spec.name);
        writeln!(text, "{line:<29} # {}", spec.doc).expect("a String takes all");
    }
    text
}
