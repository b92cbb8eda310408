//! Checks of a view's source before anything of it is written.

use super::context::Stores;
use crate::{
    diagnostics::counted,
    model::{Checks, FeatureView, FutureRows, Interval, NullKeys, RunCounts, Timestamp},
    offline::{Examined, NewestQuery},
    problem::{Advice, Kind, Problem},
};

/// The checks of a view.
pub(crate) fn of(view: &FeatureView) -> Result<Checks, Problem> {
    Checks::of(&view.tags).map_err(|error| {
        Problem::new(
            Kind::Internal,
            format!("its registered checks cannot be read: {error}"),
            "a newer feastr may have written them; update feastr, or apply the view again".to_owned(),
        )
    })
}

/// Looks at the source as far as checks want it, and gives what of the interval may be written, and
/// the number of rows in the future.
///
/// # Errors
/// When a check does not pass; then nothing was written.
pub(crate) fn look_ahead(
    stores: &Stores<'_>,
    view: &FeatureView,
    checks: Checks,
    interval: Interval,
) -> Result<(Interval, u64), Problem> {
    if !checks.look_ahead() {
        return Ok((interval, 0));
    }
    let now = (stores.clock)();
    let interval = if checks.future == FutureRows::Skip { until(now, interval)? } else { interval };
    let found = stores.offline.examine(&NewestQuery::of(view, interval), now)?;
    judge(view, checks, interval, &found)?;
    let counted = checks.future != FutureRows::Allow;
    Ok((interval, if counted { found.future } else { 0 }))
}

/// What of an interval is not in the future.
fn until(now: Timestamp, interval: Interval) -> Result<Interval, Problem> {
    if interval.start > now {
        let message = format!("its checks skip what is in the future, and all of it is, from {} on", interval.start);
        return Err(Problem::new(Kind::Refused, message, None).advise(Advice::PastStart));
    }
    Ok(Interval { end: interval.end.min(now), ..interval })
}

/// What was out of the ordinary in a run that went on nevertheless.
pub(crate) fn remarks(counts: RunCounts) -> Vec<String> {
    let remark = |count: u64, thing: &str, text: &str| (count > 0).then(|| format!("{} {text}", counted(count, thing)));
    [
        remark(counts.without_key, "row", "left out, because a join key is null"),
        remark(counts.without_time, "row", "of the source left out, because the event time is null"),
        remark(counts.out_of_range, "value", "out of the range of the declared type, written as null"),
        remark(counts.future, "row", "of the source in the future"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn judge(view: &FeatureView, checks: Checks, interval: Interval, found: &Examined) -> Result<(), Problem> {
    let fail = |message: String, help: &str| Err(Problem::new(Kind::Refused, message, help.to_owned()));
    if found.rows < checks.min_rows {
        let Interval { start, end } = interval;
        return fail(
            format!(
                "its source has {} from {start} to {end}, and at least {} are wanted",
                counted(found.rows, "row"),
                checks.min_rows
            ),
            "look whether the source was written; `min_rows` in the view's checks is the limit",
        );
    }
    if checks.null_keys == NullKeys::Fail && found.null_keys > 0 {
        let keys: Vec<&str> = view.join_keys().iter().map(|key| key.name.as_str()).collect();
        let example = found.null_key_at.map_or_else(String::new, |at| format!(", for example the one of {at}"));
        return fail(
            format!("no {} in {} of its source{example}", keys.join(" or no "), counted(found.null_keys, "row")),
            "mend the source, or let the view's checks skip them: `null_keys: skip`",
        );
    }
    if checks.future == FutureRows::Fail && found.future > 0 {
        let latest = found.latest.map_or_else(String::new, |latest| format!(", the latest of {latest}"));
        return fail(
            format!("{} of its source in the future{latest}", counted(found.future, "row")),
            "look at the clock and the time zone of the program that writes the source; `future` in the view's checks \
             allows them or skips them",
        );
    }
    Ok(())
}
