//! Profiles: how often and for how long a loop tries again, by run mode (07 §9.2).

/// Attempts of one kind of call: the first at once, each further one after its wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    waits_ms: &'static [i64],
}

impl Schedule {
    /// One attempt.
    pub const ONCE: Self = Self { waits_ms: &[] };

    /// Attempts after waits of so many milliseconds.
    pub const fn after(waits_ms: &'static [i64]) -> Self {
        Self { waits_ms }
    }

    /// Attempts in all.
    pub const fn attempts(self) -> usize {
        self.waits_ms.len() + 1
    }

    /// Milliseconds before the next attempt once `failed` attempts have failed; `None` after the last.
    pub fn wait_ms(self, failed: u32) -> Option<i64> {
        let place = usize::try_from(failed).ok()?.checked_sub(1)?;
        self.waits_ms.get(place).copied()
    }

    /// The longest wait, which goes on when attempts are bounded by time alone.
    pub const fn period_ms(self) -> Option<i64> {
        self.waits_ms.last().copied()
    }
}

/// How a loop retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Query of real positions and comparison (D04).
    pub reconcile: Schedule,
    /// Calls of venues and components.
    pub call: Schedule,
    /// Milliseconds from the start of the first attempt after which nothing is tried and no sleep is
    /// begun (D05).
    pub deadline_ms: Option<i64>,
    /// Longest call that executes, in milliseconds.
    pub execute_timeout_ms: Option<i64>,
    /// Longest query of real positions, in milliseconds.
    pub reconcile_timeout_ms: Option<i64>,
    /// Whether comparisons go on with the last wait until the deadline.
    pub retry_until_deadline: bool,
}

impl RetryPolicy {
    /// Backtests: one attempt, and no time but engine time.
    pub const BACKTEST: Self = Self {
        reconcile: Schedule::ONCE,
        call: Schedule::ONCE,
        deadline_ms: None,
        execute_timeout_ms: None,
        reconcile_timeout_ms: None,
        retry_until_deadline: false,
    };

    /// Testnets: one retry of each kind.
    pub const STAGING: Self = Self {
        reconcile: Schedule::after(&[1_000]),
        call: Schedule::after(&[5_000]),
        ..Self::LIVE
    };

    /// Live: comparisons at 0, 1, 3 and 7 s; calls three times, after waits of 5 and 10 s.
    pub const LIVE: Self = Self {
        reconcile: Schedule::after(&[1_000, 2_000, 4_000]),
        call: Schedule::after(&[5_000, 10_000]),
        deadline_ms: Some(120_000),
        execute_timeout_ms: Some(30_000),
        reconcile_timeout_ms: Some(10_000),
        retry_until_deadline: false,
    };

    /// Milliseconds before the next comparison once `failed` of them have failed.
    pub fn reconcile_wait_ms(&self, failed: u32) -> Option<i64> {
        let scheduled = self.reconcile.wait_ms(failed);
        if self.retry_until_deadline {
            return scheduled.or_else(|| self.reconcile.period_ms());
        }
        scheduled
    }
}

/// What a handshake `Failed` or `RolledBack` does to the orders after it (D10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailedOrderPolicy {
    /// The rest of the frame is skipped, then the run ends.
    #[default]
    AbortRun,
    /// The rest of the frame is skipped.
    AbortTimestep,
    /// The next order follows.
    Continue,
    /// What the strategy asked for together with it is skipped; independent orders follow. Live.
    SkipGroup,
}

impl FailedOrderPolicy {
    /// The policy as run files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AbortRun => "abort_run",
            Self::AbortTimestep => "abort_timestep",
            Self::Continue => "continue",
            Self::SkipGroup => "skip_group",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_mode_has_the_attempts_of_the_table() {
        for (policy, reconcile, call) in
            [(RetryPolicy::BACKTEST, 1, 1), (RetryPolicy::STAGING, 2, 2), (RetryPolicy::LIVE, 4, 3)]
        {
            assert_eq!((policy.reconcile.attempts(), policy.call.attempts()), (reconcile, call));
        }
    }

    #[test]
    fn there_is_no_wait_after_the_last_attempt() {
        let live = RetryPolicy::LIVE;
        let waits: Vec<_> = (1..6).map(|failed| live.reconcile_wait_ms(failed)).collect();
        assert_eq!(waits, [Some(1_000), Some(2_000), Some(4_000), None, None]);
        let patient = RetryPolicy { retry_until_deadline: true, ..live };
        assert_eq!(patient.reconcile_wait_ms(40), Some(4_000));
        assert_eq!(RetryPolicy::BACKTEST.reconcile_wait_ms(1), None);
    }
}
