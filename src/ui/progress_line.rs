//! Progress as one line that is never wider than the terminal.

use std::time::Duration;

use console::{Alignment, measure_text_width, pad_str};
use indicatif::{HumanCount, HumanDuration, HumanFloatCount};

use crate::diagnostics::counted;

/// How far the writing of a view, or of a part of it, has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub rows: u64,
    /// About how many rows there will be.
    pub expected: u64,
    pub per_second: f64,
    /// Until they are written, at this rate.
    pub left: Duration,
}

/// Columns of a name: a quarter of the line.
const NAME: std::ops::RangeInclusive<usize> = 8..=40;
/// Columns of a bar, with its brackets; a shorter one shows nothing.
const BAR: std::ops::RangeInclusive<usize> = 10..=32;

/// A view that is being written. Where there are several parts, `chunk` is the number of the one
/// that is, and `written` counts this chunk only; later ones are unknown, so that there is no
/// time left to tell.
pub(crate) fn writing(name: &str, written: Written, chunk: Option<(usize, usize)>, width: usize) -> String {
    let (rows, expected) = (HumanCount(written.rows), HumanCount(written.expected));
    let mut rest = String::new();
    if let Some(rate) = rate(written.per_second) {
        rest = format!("  {rate}");
        if chunk.is_none() && written.rows < written.expected {
            rest += &format!("  {:#} left", HumanDuration(written.left));
        }
    }
    let chunk = chunk.map_or_else(String::new, |(number, of)| format!("chunk {number}/{of}  "));
    let texts = [
        format!("{rows} of about {expected} rows{rest}"),
        format!("{rows} of ~{expected}{rest}"),
        format!("{}%{rest}", percent(written)),
    ];
    let start = format!("{} {chunk}", fit(name, width));
    let room = |text: &String| width.saturating_sub(measure_text_width(&start) + measure_text_width(text) + 1);
    match texts.iter().find(|text| room(text) >= *BAR.start()) {
        Some(text) => cut(&format!("{start}{} {text}", bar(written, room(text).min(*BAR.end()))), width),
        None => cut(&format!("{start}{}", texts[2]), width),
    }
}

/// A view, or a part of it, whose rows are looked for.
pub(crate) fn reading(name: &str, elapsed: Duration, chunk: Option<(usize, usize)>, width: usize) -> String {
    let chunk = chunk.map_or_else(String::new, |(number, of)| format!("chunk {number}/{of}  "));
    cut(&format!("{} {chunk}reading the source ({:#})", fit(name, width), HumanDuration(elapsed)), width)
}

/// A view whose rows an engine writes to files; more tasks may become known.
pub(crate) fn staging(name: &str, (done, known): (u64, u64), elapsed: Duration, width: usize) -> String {
    let (done, known) = (HumanCount(done), HumanCount(known));
    let tasks = format!("the engine writes files: {done} of {known} tasks so far ({:#})", HumanDuration(elapsed));
    cut(&format!("{} {tasks}", fit(name, width)), width)
}

/// All views together, `done` of `views`.
pub(crate) fn total(
    rows: u64,
    per_second: f64,
    (done, views): (usize, usize),
    elapsed: Duration,
    width: usize,
) -> String {
    let rate = rate(per_second).map_or_else(String::new, |rate| format!("  {rate}"));
    let shown = if rows == 1 { "1 row".to_owned() } else { format!("{} rows", HumanCount(rows)) };
    let views = format!("{done} of {}", counted(views, "view"));
    cut(&format!("{} {shown}{rate}  {views}  {:#}", fit("total", width), HumanDuration(elapsed)), width)
}

/// Rows in a second, once there is something to measure.
fn rate(per_second: f64) -> Option<String> {
    (per_second >= 1.0).then(|| format!("{:.0}/s", HumanFloatCount(per_second)))
}

fn percent(written: Written) -> u64 {
    written.rows.saturating_mul(100).checked_div(written.expected).unwrap_or(100).min(100)
}

fn bar(written: Written, width: usize) -> String {
    let inside = width.saturating_sub(2);
    let filled = inside * usize::try_from(percent(written)).unwrap_or(0) / 100;
    let head = if filled > 0 && filled < inside { ">" } else { "" };
    format!("[{}{head}{}]", "=".repeat(filled - head.len()), " ".repeat(inside - filled))
}

/// A name in its columns, long ones cut off.
fn fit(name: &str, width: usize) -> String {
    pad_str(name, (width / 4).clamp(*NAME.start(), *NAME.end()), Alignment::Left, Some("…")).into_owned()
}

fn cut(line: &str, width: usize) -> String {
    console::truncate_str(line, width, "…").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "customer_lifetime_value_and_churn_features_hourly_v2";

    fn written(rows: u64, expected: u64, per_second: f64) -> Written {
        Written { rows, expected, per_second, left: Duration::from_secs(31) }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in 20..200 {
            for name in ["v", LONG, "größe_und_gewicht_aller_früchte_im_lager"] {
                for chunk in [None, Some((2, 24))] {
                    let mut lines = vec![reading(name, Duration::from_secs(75), chunk, width)];
                    for (rows, expected) in [(0, 0), (0, 9), (1_234_567, 10_000_000), (12, 9), (9, 9)] {
                        lines.push(writing(name, written(rows, expected, 123_456.789), chunk, width));
                    }
                    lines.push(total(1_234_567, 123_456.789, (12, 24), Duration::from_secs(75), width));
                    for line in lines {
                        assert!(measure_text_width(&line) <= width, "{width}: {line}");
                    }
                }
            }
        }
    }

    #[test]
    fn lines_say_as_much_as_there_is_room_for() {
        let line = |name, width| writing(name, written(123_456, 300_000, 9_607.855_2), None, width);
        assert_eq!(
            line("driver_hourly_stats", 100),
            "driver_hourly_stats       [========>              ] 123,456 of about 300,000 rows  9,608/s  31s left"
        );
        assert_eq!(line(LONG, 80), "customer_lifetime_v… [==>     ] 123,456 of about 300,000 rows  9,608/s  31s left");
        assert_eq!(line(LONG, 60), "customer_lifet… [======>            ] 41%  9,608/s  31s left");
        assert_eq!(line(LONG, 36), "customer… 41%  9,608/s  31s left");
    }

    #[test]
    fn rates_and_times_are_told_once_they_are_known() {
        let line = |rows, per_second, chunk| writing("v", written(rows, 300_000, per_second), chunk, 100);
        assert!(line(0, 0.0, None).ends_with("] 0 of about 300,000 rows"));
        assert!(line(300_000, 9_608.0, None).ends_with("] 300,000 of about 300,000 rows  9,608/s"));
        let chunked = line(123_456, 9_608.0, Some((2, 24)));
        assert!(chunked.contains("chunk 2/24  [=") && chunked.ends_with("123,456 of about 300,000 rows  9,608/s"));
        let elapsed = Duration::from_secs(12);
        assert!(reading("v", elapsed, Some((3, 24)), 100).ends_with(" chunk 3/24  reading the source (12s)"));
        assert!(total(1, 0.0, (0, 2), elapsed, 100).ends_with(" 1 row  0 of 2 views  12s"));
    }
}
