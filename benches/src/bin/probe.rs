//! Runs one workload once: `probe WORKLOAD COUNT`. Meant for `callgrind` and for a stopwatch.

use std::error::Error;

use futures_util::FutureExt;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [workload, count] = arguments.as_slice() else {
        return Err("usage: probe WORKLOAD COUNT".into());
    };
    let count: usize = count.parse()?;
    #[expect(clippy::disallowed_methods, reason = "a stopwatch")]
    let start = std::time::Instant::now();
    match workload.as_str() {
        "idle" => {
            let report = benches::idle_tick::run(benches::idle_tick::frames(count));
            let report = report.now_or_never().ok_or("nothing suspends")?;
            assert_eq!(report.outcome.frames, count as u64);
        }
        other => return Err(format!("unknown workload `{other}`").into()),
    }
    let nanos = start.elapsed().as_nanos();
    #[expect(clippy::print_stdout, reason = "its purpose")]
    {
        println!(
            "{workload}: {count} in {} ms, {} ns each",
            nanos / 1_000_000,
            nanos / count as u128
        );
    }
    Ok(())
}
