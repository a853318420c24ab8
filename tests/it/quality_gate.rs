//! The rules of the components, read off the sources: who may ask whom, and what nobody does.
//!
//! The first nine are the checks of AL-48, in its order.

use crate::architecture::sources;

/// What components are made of: everything that decides or books, and nothing that does I/O.
const DOMAIN: [&str; 6] = ["model", "engine", "ledger", "venues", "execution", "strategies"];

/// Words of a branch on the kind of a run.
const KINDS_OF_RUN: [&str; 8] = [
    "is_live",
    "is_backtest",
    "is_staging",
    "if live",
    "if backtest",
    "RunMode",
    "run_mode",
    "ExecutionMode",
];

/// Strategies, as they are and as they are planned.
const STRATEGIES: [&str; 11] = [
    "buy_and_hold",
    "sma_cross",
    "scripted",
    "pure_lending",
    "btc_basis",
    "eth_basis",
    "eth_staking_only",
    "eth_leveraged",
    "staking_hedged",
    "ml_btc",
    "market_neutral",
];

/// A source file without its comments and tests, in one line.
struct Code {
    /// Below `crates/`.
    path: String,
    text: String,
}

/// A function as it is declared.
struct Signature<'a> {
    is_public: bool,
    text: &'a str,
}

impl Code {
    fn signatures(&self) -> impl Iterator<Item = Signature<'_>> {
        self.text.match_indices("fn ").filter_map(|(at, _)| {
            let before = self.text[..at].trim_end();
            let text = self.text[at..].split(['{', ';']).next()?.trim();
            let mut words = before.rsplit(' ').filter(|word| !["const", "async"].contains(word));
            let is_public = words.next() == Some("pub");
            self.text[..at].ends_with(' ').then_some(Signature { is_public, text })
        })
    }

    /// The signature of the function of a name.
    fn signature(&self, name: &str) -> &str {
        let start = format!("fn {name}(");
        let found = self.signatures().find(|signature| signature.text.starts_with(&start));
        found.unwrap_or_else(|| panic!("{} has no `{name}`", self.path)).text
    }

    /// The names of its public functions.
    fn public_functions(&self) -> Vec<&str> {
        let public = self.signatures().filter(|signature| signature.is_public);
        public.filter_map(|signature| signature.text[3..].split(['(', '<']).next()).collect()
    }

    /// From the first occurrence of `start` to the end of its block.
    fn block(&self, start: &str) -> &str {
        let (_, text) =
            self.text.split_once(start).unwrap_or_else(|| panic!("{}: {start}", self.path));
        let mut depth = 0;
        for (at, letter) in text.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 1 => return &text[..at],
                '}' => depth -= 1,
                _ => {}
            }
        }
        panic!("{}: {start} does not end", self.path)
    }
}

/// Everything of `text` that is code: no comments, no tests; white space is one blank.
fn code_of(text: &str) -> String {
    let (text, _) = text.split_once("\n#[cfg(test)]\nmod tests {").unwrap_or((text, ""));
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ").replace(" .", ".").replace("( ", "(")
}

fn is_test(path: &str) -> bool {
    let folders = ["/tests/", "/fixtures/"];
    let files = ["/tests.rs", "/fixture.rs", "/fixtures.rs", "strategies/src/stage.rs"];
    folders.iter().any(|folder| path.contains(folder))
        || files.iter().any(|file| path.ends_with(file))
}

/// The code of some crates.
fn code(crates: &[&str]) -> Vec<Code> {
    let is_of = |path: &str| crates.iter().any(|name| path.starts_with(&format!("{name}/src/")));
    let found: Vec<Code> = sources()
        .into_iter()
        .filter(|(path, _)| is_of(path) && !is_test(path))
        .map(|(path, text)| Code { path, text: code_of(&text) })
        .collect();
    assert!(!found.is_empty(), "{crates:?} have sources");
    found
}

/// The code of one file.
fn file(path: &str) -> Code {
    let crate_name = path.split('/').next().expect("a path begins with its crate");
    let files = code(&[crate_name]);
    files.into_iter().find(|code| code.path == path).unwrap_or_else(|| panic!("{path} is there"))
}

/// The files of all crates that say something, in order.
fn says(text: &str) -> Vec<String> {
    let crates =
        ["model", "engine", "ledger", "venues", "execution", "strategies", "store", "tickdrain"];
    let files = code(&crates).into_iter().filter(|code| code.text.contains(text));
    let mut paths: Vec<String> = files.map(|code| code.path).collect();
    paths.sort();
    paths
}

/// Check 1 of AL-48.
#[test]
fn an_executor_turns_a_list_of_orders_into_a_list_of_outcomes() {
    for path in ["execution/src/manager.rs", "tickdrain/src/live/driver.rs"] {
        let executor = file(path);
        let signature = executor.signature("process_orders");
        assert!(signature.contains("submissions: &[Submission]"), "{path}: {signature}");
        assert!(signature.ends_with("-> Processed"), "{path}: {signature}");
        assert_eq!(executor.text.matches("fn process_orders(").count(), 1);
    }
    assert_eq!(says("fn process_orders(").len(), 2, "the two drivers of the one machine");
    let outcome = file("execution/src/outcome.rs");
    let processed = outcome.block("pub struct Processed");
    assert!(processed.contains("pub outcomes: Vec<OrderOutcome>"), "{processed}");
}

/// Check 2 of AL-48.
#[test]
fn the_router_leads_to_execution_interfaces_and_knows_no_positions() {
    let router = file("venues/src/interfaces/manager.rs");
    assert_eq!(router.public_functions(), ["new", "with_groups", "route", "operation"]);
    assert!(router.signature("route").ends_with("-> Option<&mut dyn ExecutionInterface>"));
    for word in ["PositionInterface", "Holding", "query", "execute(", "apply", "reconcile"] {
        assert!(!router.text.contains(word), "the router knows `{word}`");
    }
    let interfaces = file("model/src/interface.rs");
    let execution = interfaces.block("pub trait ExecutionInterface");
    assert_eq!(execution.matches("fn ").count(), 2, "takes and execute: {execution}");
}

/// Check 3 of AL-48.
#[test]
fn the_position_monitor_asks_position_interfaces_itself_and_nobody_else_does() {
    assert_eq!(says("interface.query("), ["ledger/src/positions.rs"]);
    assert_eq!(says(".query("), ["ledger/src/positions.rs"]);
    let monitor = file("ledger/src/positions.rs");
    let signature = monitor.signature("new");
    assert!(signature.contains("source: RealSource"), "{signature}");
    let source = monitor.block("pub enum RealSource");
    assert!(source.contains("Venues(Vec<Box<dyn PositionInterface>>)"), "{source}");
}

/// Check 4 of AL-48: apply, comparison and chain are the update handler's; whoever runs a loop or a
/// refresh asks it, and only an executor asks a router.
#[test]
fn only_the_update_handler_applies_reconciles_and_values() {
    let handler = "ledger/src/handler.rs";
    assert_eq!(says("self.reconciliation.compare("), [handler]);
    assert_eq!(says("chain.update("), [handler]);
    assert_eq!(says("positions.change("), [handler, "ledger/src/handler/initial_holdings.rs"]);
    assert_eq!(says("LedgerPort for"), ["execution/src/ledger_port.rs"]);
    let port = file("execution/src/ledger_port.rs");
    assert!(port.text.contains("impl LedgerPort for PositionUpdateHandler"));
    let (desk, driver) = ("execution/src/loop_desk.rs", "tickdrain/src/live/driver.rs");
    let (steps, upkeep) = ("execution/src/frame_steps.rs", "tickdrain/src/live/driver/upkeep.rs");
    assert_eq!(says("ledger.apply("), [desk, driver]);
    assert_eq!(says("ledger.reconcile("), [steps, desk, driver, upkeep]);
    assert_eq!(says("venues.route("), ["execution/src/manager.rs"]);
    // Nobody else compares two books.
    assert_eq!(says("Reconciliation { compared"), ["ledger/src/reconciliation.rs"]);
    for code in code(&["venues"]) {
        assert!(!code.text.contains("reconcil"), "{} reconciles", code.path);
    }
}

/// Check 5 of AL-48.
#[test]
fn nothing_below_the_services_is_asynchronous() {
    for code in code(&["model", "ledger", "venues", "execution", "strategies"]) {
        for word in
            ["async ", ".await;", ".await?", ".await.", "impl Future", "dyn Future", "spawn("]
        {
            assert!(!code.text.contains(word), "{} has `{word}`", code.path);
        }
    }
}

/// Check 6 of AL-48: the callback of a strategy is not covered.
#[test]
fn no_component_is_handed_market_data() {
    const DATA: [&str; 5] =
        ["&Market,", "&Market)", "&mut Market", "MarketView", "Ref<'_, Market>"];
    let mut seen = 0;
    for code in code(&["ledger", "execution"]) {
        let is_executor = code.path.starts_with("execution/");
        for signature in code.signatures().filter(|found| is_executor || found.is_public) {
            let parameters = signature.text.split("->").next().unwrap_or_default();
            let handed = DATA.iter().find(|data| parameters.contains(*data));
            assert_eq!(handed, None, "{}: {}", code.path, signature.text);
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen} signatures");
    let interfaces = file("model/src/interface.rs");
    assert!(!interfaces.text.contains("Market"), "interfaces know no market");
}

/// Check 7 of AL-48.
#[test]
fn market_data_are_asked_for_at_an_instant() {
    let provider = file("model/src/market.rs");
    let signature = provider.signature("at");
    assert!(signature.contains("ts: UtcMillis") && signature.contains("StaleMarket"));
    for path in ["ledger/src/exposure.rs", "ledger/src/risk.rs", "ledger/src/pnl.rs"] {
        let monitor = file(path);
        assert!(monitor.signature("stage").starts_with("fn stage(&mut self, ts: UtcMillis,"));
        assert!(monitor.text.contains("self.provider.at(ts)?"), "{path}");
        assert!(!monitor.text.contains(".present()"), "{path}");
    }
    // What has just happened is booked at the prices of the last pass, which have no other instant.
    assert_eq!(
        [says("market.present()"), says("provider.present()")].concat(),
        [
            "execution/src/execution_service.rs",
            "execution/src/frame_steps.rs",
            "execution/src/snapshots.rs",
            "ledger/src/handler.rs",
            "ledger/src/handler/initial_holdings.rs",
            "ledger/src/pnl/flows.rs",
        ]
    );
}

/// Check 8 of AL-48.
#[test]
fn there_is_one_transfer_interface() {
    let transfer = "venues/src/transfer.rs";
    assert_eq!(says("&[Operation::Transfer]"), [transfer]);
    assert_eq!(says("= Effect::Transfer {"), [transfer]);
    let interface = file(transfer);
    assert_eq!(interface.text.matches("impl ExecutionInterface for").count(), 1);
    assert!(interface.text.contains("impl ExecutionInterface for TransferInterface"));
}

/// Check 9 of AL-48.
#[test]
fn there_is_no_second_transfer_manager() {
    let kinds = ["struct", "enum", "trait", "type"];
    let mut names = Vec::new();
    for code in code(&["model", "engine", "ledger", "venues", "execution", "strategies", "store"]) {
        let words: Vec<&str> = code.text.split([' ', '(', '<', '{', ';']).collect();
        let pairs = words.windows(2).filter(|pair| kinds.contains(&pair[0]));
        let found = pairs.map(|pair| pair[1]).filter(|name| name.contains("Transfer"));
        names.extend(found.map(|name| format!("{}: {name}", code.path)));
    }
    assert_eq!(names, ["venues/src/transfer.rs: TransferInterface"]);
    for word in ["TransferManager", "TransferHandler", "TransferService", "transfer_manager"] {
        assert_eq!(says(word), [""; 0], "{word}");
    }
}

/// TR-35: the kind of a run is a matter of profiles and adapters.
#[test]
fn no_part_of_the_domain_asks_what_kind_of_run_it_is_in() {
    for code in code(&DOMAIN) {
        for word in KINDS_OF_RUN {
            assert!(!code.text.contains(word), "{} has `{word}`", code.path);
        }
    }
}

/// FL-46.
#[test]
fn no_component_knows_a_strategy_by_name() {
    for code in code(&["ledger", "venues", "execution"]) {
        for word in STRATEGIES {
            assert!(!code.text.contains(word), "{} has `{word}`", code.path);
        }
    }
}

/// TL-14, AL-08: an executor asks for changes; it holds nothing that could make them.
#[test]
fn an_executor_holds_neither_positions_nor_venues() {
    for (path, holder) in [
        ("execution/src/manager.rs", "pub struct ExecutionManager"),
        ("execution/src/loop_desk.rs", "pub(crate) struct Core"),
        ("execution/src/loop_desk.rs", "pub(crate) struct LoopDesk<'a>"),
    ] {
        let code = file(path);
        let fields = code.block(holder);
        for word in ["Position", "Venue", "Interface", "Books", "Exchange"] {
            assert!(!fields.contains(word), "{path} holds {word}: {fields}");
        }
    }
    let port = file("execution/src/ports.rs");
    let ledger = port.block("pub trait LedgerPort");
    assert!(!ledger.contains("AccountBook"), "no way into the book: {ledger}");
}

/// TL-11, TL-19, AL-25: what nobody can go on from is for whoever runs the loop to say.
#[test]
fn the_ledger_neither_routes_nor_retries_nor_gives_up() {
    for code in code(&["ledger"]) {
        for word in ["sleep", "retry", "RetryPolicy", "SystemFailure", "route(", "Submission"] {
            assert!(!code.text.contains(word), "{} has `{word}`", code.path);
        }
    }
}

/// TL-21, AL-12: both books can be read by anybody, and written by nobody outside.
#[test]
fn nobody_outside_the_ledger_can_change_positions() {
    let monitor = file("ledger/src/positions.rs");
    assert_eq!(monitor.public_functions(), ["simulated", "real", "balance", "position"]);
    for signature in monitor.signatures().filter(|signature| signature.is_public) {
        assert!(signature.text.contains("(&self"), "{}", signature.text);
    }
    let fields = monitor.block("pub struct PositionMonitor");
    assert!(!fields.contains("pub "), "{fields}");
}

/// TL-66: the order of the chain is that of its lines.
#[test]
fn the_chain_is_exposure_then_risk_then_profit() {
    let chain = file("ledger/src/chain.rs");
    for step in ["stage", "commit"] {
        let body = chain.block(&format!("fn {step}(&mut self"));
        let place = |component| body.find(&format!("self.{component}.{step}("));
        let places = ["exposure", "risk", "pnl"].map(place);
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{body}");
        assert_eq!(body.matches(&format!(".{step}(")).count(), 3, "{body}");
    }
    // A flat account carries its figures over instead, in the same order.
    let body = chain.block("fn stage(&mut self");
    let places = ["risk", "pnl"].map(|component| body.find(&format!("self.{component}.carry(")));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{body}");
}

/// TL-23: the account is valued after a loop and in a refresh; `same_close` has a second refresh.
#[test]
fn the_account_is_valued_after_a_loop_and_in_a_refresh_and_nowhere_else() {
    assert_eq!(
        says("ledger.run_chain("),
        [
            "execution/src/execution_service.rs",
            "execution/src/frame_steps.rs",
            "execution/src/loop_desk.rs",
            "tickdrain/src/live/driver.rs",
            "tickdrain/src/live/driver/upkeep.rs",
        ]
    );
}

/// TL-60: a library returns; only the command line ends a process, and never because a run failed.
#[test]
fn nothing_but_the_command_ends_the_process() {
    let enders = says("process::exit(");
    assert_eq!(enders, ["tickdrain/src/cli/backtest.rs", "tickdrain/src/cli/stdout.rs"]);
    assert_eq!(says("process::abort("), [""; 0]);
}

/// AL-13, AL-14: interfaces come from the factory, once, where a run is put together.
#[test]
fn interfaces_are_made_by_the_factory_in_one_place() {
    let service = "execution/src/execution_service.rs";
    assert_eq!(says("factory.execution_interfaces()"), [service]);
    assert_eq!(says("factory.position_interfaces()"), [service]);
    assert_eq!(says("VenueInterfaceFactory::new("), [service]);
    assert_eq!(says("source.read(venue)"), ["venues/src/interfaces/factory.rs"]);
}

#[test]
fn code_is_found_without_comments_and_tests() {
    let text = "//! Page.\npub const fn a(\n    &self,\n) -> u8 {\n    b()\n        .c()\n}\nfn d() {}\n\
                #[cfg(test)]\nmod tests {\n    fn e() {}\n}\n";
    let code = Code { path: "x".to_owned(), text: code_of(text) };
    assert_eq!(code.text, "pub const fn a(&self, ) -> u8 { b().c() } fn d() {}");
    assert_eq!(code.public_functions(), ["a"]);
    assert_eq!(code.signature("d"), "fn d()");
    assert_eq!(code.block("fn a("), "&self, ) -> u8 { b().c() ");
}
