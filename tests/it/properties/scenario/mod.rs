//! Random bars and requests, written as the files of a run.

mod amount;
mod bars;
mod dice;
mod draw;
mod files;
mod order;
mod rules;

pub(crate) use amount::{BPS, LOT, ONE, TICK, text};
pub(crate) use bars::{Bar, START, candles_csv, draw_bars};
pub(crate) use dice::Dice;
pub(crate) use draw::{Menu, draw};
pub(crate) use order::{Kind, Level, Order, Request, Side, Size, Tif, Trail};
pub(crate) use rules::Rules;

#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) rules: Rules,
    pub(crate) bars: Vec<Bar>,
    pub(crate) requests: Vec<Request>,
}

impl Scenario {
    /// The scenario without one request and those that need it.
    pub(crate) fn without(&self, place: usize) -> Self {
        let mut smaller = self.clone();
        let removed = smaller.requests.remove(place);
        let mut gone: Vec<String> = removed.names().0.map(str::to_owned).into_iter().collect();
        smaller.requests.retain(|request| {
            let (name, needs) = request.names();
            let stays = !needs.is_some_and(|needs| gone.iter().any(|gone| gone == needs));
            if !stays {
                gone.extend(name.map(str::to_owned));
            }
            stays
        });
        smaller
    }

    /// Something that is smaller and of which `fails` still holds, as small as it gets.
    pub(crate) fn shrink(mut self, fails: impl Fn(&Self) -> bool) -> Self {
        loop {
            let before = (self.requests.len(), self.bars.len());
            for place in (0..self.requests.len()).rev() {
                if place >= self.requests.len() {
                    continue;
                }
                let smaller = self.without(place);
                if fails(&smaller) {
                    self = smaller;
                }
            }
            let needed = self.requests.iter().map(Request::decided).max().unwrap_or(0) + 2;
            while self.bars.len() > needed {
                let mut smaller = self.clone();
                smaller.bars.pop();
                if !fails(&smaller) {
                    break;
                }
                self = smaller;
            }
            if before == (self.requests.len(), self.bars.len()) {
                return self;
            }
        }
    }
}
