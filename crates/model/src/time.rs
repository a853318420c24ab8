//! Time: an instant in UTC milliseconds and the length of a bar.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};

/// Milliseconds of one UTC day.
pub const DAY_MS: i64 = 86_400_000;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
///
/// A bar is named by its close, so `ts` of a frame is the instant at which its bars became known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcMillis(i64);

impl UtcMillis {
    /// The instant `millis` milliseconds after the epoch (before it, if negative).
    pub const fn new(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The instant one `interval` later.
    pub const fn after(self, interval: Interval) -> Self {
        Self(self.0 + interval.0)
    }

    /// The instant one `interval` earlier.
    pub const fn before(self, interval: Interval) -> Self {
        Self(self.0 - interval.0)
    }

    /// Number of the UTC day whose end this instant belongs to: (00:00, 24:00] has one number.
    ///
    /// Midnight closes the day before it, as a bar that closes at midnight does.
    pub const fn day_closed(self) -> i64 {
        (self.0 - 1).div_euclid(DAY_MS)
    }
}

impl fmt::Display for UtcMillis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp_millis(self.0) {
            Some(instant) => {
                formatter.write_str(&instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
            }
            None => write!(formatter, "{} ms", self.0),
        }
    }
}

/// Why a text is no instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a date (2024-01-31) nor an RFC 3339 time (2024-01-31T12:00:00Z)")]
pub struct ParseTimeError(String);

impl FromStr for UtcMillis {
    type Err = ParseTimeError;

    /// Reads RFC 3339, a date (its 00:00 UTC) or a date and time without a zone (taken as UTC).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self(instant.timestamp_millis()));
        }
        if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            let midnight = date.and_hms_opt(0, 0, 0).expect("00:00:00 exists on every date");
            return Ok(Self(midnight.and_utc().timestamp_millis()));
        }
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .map(|instant| Self(instant.and_utc().timestamp_millis()))
            .ok_or_else(|| ParseTimeError(text.to_owned()))
    }
}

/// Length of a bar or a duration, in milliseconds; strictly positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(i64);

impl Interval {
    /// One hour, the default length of a frame.
    pub const HOUR: Self = Self(3_600_000);

    /// An interval of `millis` milliseconds; `None` unless positive.
    pub const fn from_millis(millis: i64) -> Option<Self> {
        if millis > 0 { Some(Self(millis)) } else { None }
    }

    /// Length in milliseconds.
    pub const fn millis(self) -> i64 {
        self.0
    }
}

const UNITS: [(&str, i64); 5] =
    [("w", 7 * DAY_MS), ("d", DAY_MS), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

impl fmt::Display for Interval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, millis) in UNITS {
            // Weeks are read but not written: `7d` is what people expect to see.
            if unit != "w" && self.0 % millis == 0 {
                return write!(formatter, "{}{unit}", self.0 / millis);
            }
        }
        write!(formatter, "{}ms", self.0)
    }
}

/// Why a text is no interval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no duration such as 1m, 15m, 1h or 1d")]
pub struct ParseIntervalError(String);

impl FromStr for Interval {
    type Err = ParseIntervalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || ParseIntervalError(text.to_owned());
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(fault)?;
        let count: i64 = text[..digits].parse().ok().ok_or_else(fault)?;
        let unit = text[digits..].trim();
        let millis = if unit == "ms" {
            1
        } else {
            UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(fault)?.1
        };
        count.checked_mul(millis).and_then(Self::from_millis).ok_or_else(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_dates_or_rfc_3339_and_written_back() {
        for (text, written) in [
            ("2024-01-01", "2024-01-01T00:00:00Z"),
            ("2024-01-01T12:30:00Z", "2024-01-01T12:30:00Z"),
            ("2024-01-01T12:30:00+02:00", "2024-01-01T10:30:00Z"),
            ("2024-01-01 12:30:00", "2024-01-01T12:30:00Z"),
            ("2024-01-01T12:30:00.250Z", "2024-01-01T12:30:00.250Z"),
        ] {
            assert_eq!(text.parse::<UtcMillis>().unwrap().to_string(), written);
        }
        for text in ["", "tomorrow", "2024-13-01", "2024-01-01T25:00:00Z"] {
            assert!(text.parse::<UtcMillis>().is_err(), "{text}");
        }
    }

    #[test]
    fn intervals_round_trip() {
        for text in ["1m", "15m", "1h", "8h", "1d", "7d", "30s", "250ms"] {
            assert_eq!(text.parse::<Interval>().unwrap().to_string(), text);
        }
        for text in ["", "h", "0m", "1x", "-1h", "99999999999999999w"] {
            assert!(text.parse::<Interval>().is_err(), "{text}");
        }
    }

    #[test]
    fn midnight_closes_the_day_before_it() {
        let midnight: UtcMillis = "2024-01-02".parse().unwrap();
        let minute_later = UtcMillis::new(midnight.millis() + 60_000);
        assert_eq!(midnight.day_closed() + 1, minute_later.day_closed());
    }
}
