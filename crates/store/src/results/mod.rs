//! Results: plain Parquet tables that pandas and polars read, and the figures of the run.

mod curve;
mod decisions;
mod figures;
mod orders;
mod table;
mod tables;
mod terms;
#[cfg(test)]
mod tests;

use std::path::Path;

use model::instrument::InstrumentTable;
use model::order::Request;
use model::time::Interval;

pub use figures::{
    Costs, Extremes, Figures, LargeOrders, OrderCounts, Profit, TradeFigures, Unexplained,
};

use crate::audit::records::{ChainRow, RareEvent, Records};
use crate::chain_tables::{self, Risks, result_columns, result_schema};
use crate::error::FolderError;
use crate::names::Names;
use curve::Curve;
use decisions::Decisions;
use orders::OrderBook;
use table::Table;

/// What the results of a run are written by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResultsTerms {
    /// Length of a frame.
    pub(crate) interval: Interval,
    /// Whether every decision has a row.
    pub(crate) every_frame: bool,
}

/// Writes the results of a run as its records come.
#[derive(Debug)]
pub(crate) struct Results {
    equity: Table,
    orders: Table,
    fills: Table,
    trades: Table,
    positions: Table,
    settlements: Table,
    exposure: Table,
    risk: Table,
    pnl: Table,
    decisions: Table,
    chosen: Decisions,
    curve: Curve,
    book: OrderBook,
    figures: Figures,
    instruments: InstrumentTable,
}

impl Results {
    /// Results in `folder`; without one only the figures are computed.
    pub(crate) fn create(
        folder: Option<&Path>,
        terms: ResultsTerms,
        instruments: InstrumentTable,
    ) -> Result<Self, FolderError> {
        let table = |name, schema| Table::create(folder, name, schema);
        Ok(Self {
            equity: table("equity.parquet", tables::equity_schema())?,
            orders: table("orders.parquet", tables::order_schema())?,
            fills: table("fills.parquet", tables::fill_schema())?,
            trades: table("trades.parquet", tables::trade_schema())?,
            positions: table("positions.parquet", tables::position_schema())?,
            settlements: table("settlements.parquet", tables::settlement_schema())?,
            exposure: table("exposure.parquet", result_schema(chain_tables::exposure_columns()))?,
            risk: table("risk.parquet", result_schema(chain_tables::risk_columns()))?,
            pnl: table("pnl.parquet", result_schema(chain_tables::pnl_columns()))?,
            decisions: table("decisions.parquet", decisions::decision_schema())?,
            chosen: Decisions::new(terms.every_frame),
            curve: Curve::new(terms.interval),
            book: OrderBook::default(),
            figures: Figures::default(),
            instruments,
        })
    }

    /// Takes the records of a commit.
    pub(crate) fn take(&mut self, records: &Records, names: &Names) -> Result<(), FolderError> {
        let accounts = records.accounts.per_frame();
        let drawdown = self.curve.take(&accounts);
        self.equity.write(tables::equity(&accounts, drawdown))?;
        self.positions.write_rows(tables::positions(&records.positions, names))?;
        self.take_chain(records, names)?;
        let (mut fills, mut trades, mut settlements) = (Vec::new(), Vec::new(), Vec::new());
        for rare in &records.rare {
            match &rare.event {
                RareEvent::Intent(group) => {
                    for request in &group.requests {
                        match request {
                            Request::Submit(intent) => {
                                names.learn(intent);
                                self.book.submit(rare, intent);
                            }
                            Request::Operate(intent) => {
                                names.learn_operation(intent);
                                self.book.operate(rare, intent);
                            }
                            Request::Cancel(_) | Request::Replace(_) => {}
                        }
                    }
                }
                RareEvent::Verdict(group) => self.book.judge(group, &mut self.figures.orders),
                RareEvent::OrderUpdate(update) => self.book.update(update),
                RareEvent::Fill(fill) => {
                    self.figures.take_fill(fill, &self.instruments);
                    if self.book.fills_much(fill) {
                        let name = names.order(fill.order_id);
                        self.figures.orders.large_orders.take(name);
                    }
                    fills.push((rare.seq, &**fill));
                    if let Some(trip) = &fill.closed {
                        self.figures.trades.take(trip);
                        trades.push((fill.order_id.strategy, &**trip));
                    }
                }
                RareEvent::TightLoop(record) => self.figures.take_loop(record),
                RareEvent::Settlement(settlement) => settlements.push((rare.ts, &**settlement)),
                RareEvent::Alert(alert) => self.figures.take_alert(alert),
                RareEvent::Control(_) | RareEvent::Custom(_) => {}
            }
        }
        self.fills.write_rows(tables::fills(&fills, names))?;
        self.trades.write_rows(tables::trades(&trades, names))?;
        self.settlements.write_rows(tables::settlements(&settlements, names))?;
        self.orders
            .write_rows(tables::orders(&self.book.take_done(&mut self.figures.orders), names))
    }

    fn take_chain(&mut self, records: &Records, names: &Names) -> Result<(), FolderError> {
        let rows: Vec<&ChainRow> = records.chain.iter().filter(|row| row.in_results).collect();
        self.exposure.write(result_columns(chain_tables::exposure(&rows, names)))?;
        self.risk.write(result_columns(chain_tables::risk(&rows, Risks::Measured, names)))?;
        self.pnl.write(result_columns(chain_tables::pnl(&rows)))?;
        self.figures.take_chain(records);
        let chosen = self.chosen.take(&records.decisions);
        self.decisions.write(decisions::decisions(&chosen, names))
    }

    /// Closes all tables; the figures of the run.
    pub(crate) fn close(mut self, names: &Names) -> Result<Figures, FolderError> {
        let open = self.book.take_all(&mut self.figures.orders);
        self.orders.write_rows(tables::orders(&open, names))?;
        self.decisions.write(decisions::decisions(&self.chosen.finish(), names))?;
        self.curve.complete(&mut self.figures);
        let Self { equity, orders, fills, trades, positions, settlements, .. } = self;
        let Self { exposure, risk, pnl, decisions, .. } = self;
        let of_chain = [exposure, risk, pnl, decisions];
        for table in
            [equity, orders, fills, trades, positions, settlements].into_iter().chain(of_chain)
        {
            table.close()?;
        }
        Ok(self.figures)
    }
}
