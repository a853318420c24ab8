//! Health: how many errors there were lately, by component (07 §9.3).

use std::collections::VecDeque;

use crate::failure::{Component, FailureClass};

/// How well execution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// At most 5 errors in the window.
    Healthy,
    /// More than 5.
    Degraded,
    /// More than 10.
    Unhealthy,
    /// A fatal one, at any time.
    Critical,
}

impl Health {
    /// The state as logs and the health file show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
            Self::Critical => "critical",
        }
    }
}

/// How long an error counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthWindow {
    /// So many frames: backtests.
    Frames(i64),
    /// So many milliseconds: live.
    Millis(i64),
}

impl HealthWindow {
    /// The window of backtests.
    pub const BACKTEST: Self = Self::Frames(100);
    /// The window of live runs: 5 minutes.
    pub const LIVE: Self = Self::Millis(300_000);

    const fn length(self) -> i64 {
        match self {
            Self::Frames(length) | Self::Millis(length) => length,
        }
    }
}

/// Counts errors in a window that moves on.
#[derive(Clone, Debug)]
pub struct HealthMonitor {
    window: HealthWindow,
    /// Frame or millisecond of each error that still counts, by component.
    errors: [VecDeque<i64>; Component::ALL.len()],
    critical: Option<Component>,
}

impl HealthMonitor {
    /// A monitor that has seen nothing.
    pub fn new(window: HealthWindow) -> Self {
        Self { window, errors: Default::default(), critical: None }
    }

    /// The unit in which it counts time.
    pub const fn window(&self) -> HealthWindow {
        self.window
    }

    /// Takes note of a failure at `now`, in the unit of the window.
    pub fn note(&mut self, component: Component, class: FailureClass, now: i64) {
        if !class.is_error() {
            return;
        }
        if class == FailureClass::Fatal {
            self.critical.get_or_insert(component);
        }
        let errors = &mut self.errors[component as usize];
        while errors.front().is_some_and(|at| now - at >= self.window.length()) {
            errors.pop_front();
        }
        errors.push_back(now);
    }

    /// Which component has failed for good, if one has.
    pub const fn critical(&self) -> Option<Component> {
        self.critical
    }

    /// The state of one component at `now`.
    pub fn of(&self, component: Component, now: i64) -> Health {
        if self.critical == Some(component) {
            return Health::Critical;
        }
        let counts = |at: &&i64| now - **at < self.window.length();
        match self.errors[component as usize].iter().filter(counts).count() {
            0..=5 => Health::Healthy,
            6..=10 => Health::Degraded,
            _ => Health::Unhealthy,
        }
    }

    /// The state of the worst component at `now`.
    pub fn worst(&self, now: i64) -> Health {
        let states = Component::ALL.into_iter().map(|component| self.of(component, now));
        states.max().unwrap_or(Health::Healthy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_follows_the_errors_of_its_window() {
        for (window, length) in [(HealthWindow::BACKTEST, 100), (HealthWindow::LIVE, 300_000)] {
            let mut monitor = HealthMonitor::new(window);
            for (errors, expected) in
                [(5, Health::Healthy), (6, Health::Degraded), (11, Health::Unhealthy)]
            {
                while monitor.errors[Component::Execute as usize].len() < errors {
                    monitor.note(Component::Execute, FailureClass::Retriable, 0);
                }
                assert_eq!(monitor.worst(length - 1), expected);
            }
            assert_eq!(monitor.worst(length), Health::Healthy, "the window has moved on");
        }
    }

    #[test]
    fn a_fatal_error_is_never_forgotten_and_a_refusal_never_counts() {
        let mut monitor = HealthMonitor::new(HealthWindow::BACKTEST);
        for _ in 0..50 {
            monitor.note(Component::Execute, FailureClass::Refused, 0);
        }
        assert_eq!(monitor.worst(0), Health::Healthy);
        monitor.note(Component::Risk, FailureClass::Fatal, 0);
        assert_eq!(monitor.worst(1_000_000), Health::Critical);
        assert_eq!(monitor.of(Component::Execute, 0), Health::Healthy);
        assert_eq!(monitor.critical(), Some(Component::Risk));
    }
}
