//! Instants, as an argument: milliseconds since the Unix epoch, UTC.

use std::fmt;

/// An instant in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);
    /// 9999-12-31T23:59:59.999Z, the last instant that RFC 3339 can write.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// From milliseconds since the Unix epoch; values outside the years 1970 to 9999 are clamped.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        if millis < 0 {
            Self(0)
        } else if millis > Self::MAX.0 {
            Self::MAX
        } else {
            Self(millis)
        }
    }

    /// Reads an instant as RFC 3339 (section 5.6) writes it: date, `T`, time with seconds, and `Z` or an offset. Parts of
    /// a second beyond milliseconds are left out. `None` for anything else, and outside the years 1970 to 9999.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (stamp, rest) = text.split_at_checked(19)?;
        let separated =
            |at: usize, marks: &[u8]| stamp.as_bytes().get(at).is_some_and(|byte| marks.contains(byte));
        let marked = [(4, &b"-"[..]), (7, b"-"), (10, b"Tt"), (13, b":"), (16, b":")];
        if !marked.iter().all(|(at, marks)| separated(*at, marks)) {
            return None;
        }
        let [year, month, day] = [0..4, 5..7, 8..10].map(|range| stamp.get(range).and_then(digits));
        let [hour, minute, second] = [11..13, 14..16, 17..19].map(|range| stamp.get(range).and_then(digits));
        let days = days_since_epoch(year?, month?, day?)?;
        let (hour, minute, second) = (hour?, minute?, second?);
        // A leap second is the last one of its minute, as in POSIX.
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let (milli, offset) = fraction(rest)?;
        let of_day = ((hour * 60 + minute) * 60 + second.min(59)) * 1_000 + milli;
        let millis = days * 86_400_000 + of_day - offset_minutes(offset)? * 60_000;
        (0..=Self::MAX.0).contains(&millis).then_some(Self(millis))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This instant and `millis` milliseconds more, clamped to [`Timestamp::MAX`].
    #[must_use]
    pub const fn plus_millis(self, millis: u64) -> Self {
        let millis = if millis > Self::MAX.0 as u64 { Self::MAX.0 } else { millis as i64 };
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// This instant and `millis` milliseconds less, not before the Unix epoch.
    #[must_use]
    pub const fn minus_millis(self, millis: u64) -> Self {
        let millis = if millis > Self::MAX.0 as u64 { Self::MAX.0 } else { millis as i64 };
        Self(if self.0 > millis { self.0 - millis } else { 0 })
    }

    /// Milliseconds from `earlier` until this instant; 0 where `earlier` is later.
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> u64 {
        let delta = self.0 - earlier.0;
        if delta < 0 { 0 } else { delta as u64 }
    }

    /// By how many milliseconds the clock that told this instant is ahead of another one, which told `before` and `after` around
    /// it; negative where it is behind. Only what is certain: 0 where the instant lies between.
    #[must_use]
    pub const fn ahead_of(self, before: Self, after: Self) -> i64 {
        if self.0 < before.0 {
            self.0 - before.0
        } else if self.0 > after.0 {
            self.0 - after.0
        } else {
            0
        }
    }
}

fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Milliseconds of a fraction such as `.5`, where there is one, and what follows it.
fn fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(fraction) = rest.strip_prefix('.') else { return Some((0, rest)) };
    let end = fraction.find(|character: char| !character.is_ascii_digit())?;
    let (digits, offset) = fraction.split_at(end);
    let milli = digits.bytes().chain(*b"00").take(3).fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    (end > 0).then_some((milli, offset))
}

/// Minutes by which a local time is ahead of UTC.
fn offset_minutes(offset: &str) -> Option<i64> {
    if matches!(offset, "Z" | "z") {
        return Some(0);
    }
    let sign = match offset.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let two = |text: &str, most: i64| {
        (text.len() == 2).then(|| digits(text)).flatten().filter(|number| *number <= most)
    };
    Some(sign * (two(hours, 23)? * 60 + two(minutes, 59)?))
}

/// Days of a civil date since the epoch; `None` where there is no such date.
///
/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days_since_epoch(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds, e.g. `2026-11-24T10:00:00.000Z`.
    ///
    /// The civil date follows Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, of_day) = (self.0.div_euclid(86_400_000), self.0.rem_euclid(86_400_000));
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
        let (second, milli) = (of_day / 1_000 % 60, of_day % 1_000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}
