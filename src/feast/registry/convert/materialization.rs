//! What Feast records of materialization: how an interval is added, and when the list is merged.

use crate::{
    feast::registry::messages::{self as wire, MaterializationInterval},
    model::{Interval, MaterializedView, Timestamp},
};

/// A list of more intervals than this is merged.
const LONG: usize = 32;

/// What `meta` says about materialization.
pub(crate) fn materialized_from_message(meta: Option<&wire::FeatureViewMeta>) -> MaterializedView {
    let intervals = meta.iter().flat_map(|meta| &meta.materialization_intervals);
    MaterializedView {
        intervals: intervals
            .filter_map(|interval| {
                Some(Interval { start: interval.start_time?.into(), end: interval.end_time?.into() })
            })
            .collect(),
    }
}

/// Notes in `meta` that `interval` was written to the online store, at `now`.
///
/// The interval is appended, as Feast does, and a list that has become long is then merged: Feast
/// asks it for the latest end and shows the rest.
pub(crate) fn record_materialization(meta: &mut wire::FeatureViewMeta, interval: Interval, now: Timestamp) {
    meta.materialization_intervals.push(wire::MaterializationInterval {
        start_time: Some(interval.start.into()),
        end_time: Some(interval.end.into()),
    });
    if meta.materialization_intervals.len() > LONG {
        meta.materialization_intervals = merged(std::mem::take(&mut meta.materialization_intervals));
    }
    meta.state = wire::FeatureViewState::AvailableOnline as i32;
    meta.last_updated_timestamp = Some(now.into());
}

/// Seconds and nanoseconds, which compare as times do.
type Moment = (i64, i32);

/// The same times in as few intervals as cover them exactly, each where the first of its parts was.
///
/// Reversed intervals cover nothing; one stays if its end is the latest of all. What has no start or
/// no end stays as it is.
fn merged(intervals: Vec<MaterializationInterval>) -> Vec<MaterializationInterval> {
    let mut kept: Vec<(usize, MaterializationInterval)> = Vec::new();
    let mut forward: Vec<(Moment, Moment, usize)> = Vec::new();
    let mut reversed: Option<(Moment, usize, MaterializationInterval)> = None;
    for (at, interval) in intervals.into_iter().enumerate() {
        let moment = |time: wire::Timestamp| (time.seconds, time.nanos);
        match (interval.start_time.map(moment), interval.end_time.map(moment)) {
            (Some(start), Some(end)) if start <= end => forward.push((start, end, at)),
            (Some(_), Some(end)) => {
                if reversed.as_ref().is_none_or(|(latest, _, _)| *latest < end) {
                    reversed = Some((end, at, interval));
                }
            }
            _ => kept.push((at, interval)),
        }
    }
    forward.sort_unstable();
    let latest = forward.iter().map(|(_, end, _)| *end).max();
    let mut unions: Vec<(Moment, Moment, usize)> = Vec::new();
    for (start, end, at) in forward {
        match unions.last_mut() {
            Some(last) if start <= last.1 => *last = (last.0, last.1.max(end), last.2.min(at)),
            _ => unions.push((start, end, at)),
        }
    }
    kept.extend(reversed.filter(|(end, _, _)| Some(*end) > latest).map(|(_, at, interval)| (at, interval)));
    let time = |(seconds, nanos)| Some(wire::Timestamp { seconds, nanos });
    kept.extend(
        unions
            .into_iter()
            .map(|(start, end, at)| (at, MaterializationInterval { start_time: time(start), end_time: time(end) })),
    );
    kept.sort_by_key(|(at, _)| *at);
    kept.into_iter().map(|(_, interval)| interval).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;

    const HOUR: i64 = 3_600_000_000;

    fn hour(hour: i64) -> Timestamp {
        Timestamp::from_micros(hour * HOUR)
    }

    fn interval(start: i64, end: i64) -> MaterializationInterval {
        MaterializationInterval { start_time: Some(hour(start).into()), end_time: Some(hour(end).into()) }
    }

    #[test]
    fn an_hourly_cron_of_a_year_stays_small() {
        let mut meta = wire::FeatureViewMeta::default();
        for hours in 0..8760 {
            let now = hour(hours + 1);
            record_materialization(&mut meta, Interval { start: hour(hours), end: now }, now);
            assert!(meta.materialization_intervals.len() <= LONG && meta.encoded_len() < 2_000);
        }
        let intervals = materialized_from_message(Some(&meta)).intervals;
        assert_eq!((intervals[0].start, intervals.last().unwrap().end), (hour(0), hour(8760)));
        assert!(intervals.windows(2).all(|pair| pair[0].end == pair[1].start));
    }

    #[test]
    fn short_lists_stay_as_feast_writes_them() {
        let mut meta = wire::FeatureViewMeta::default();
        for _ in 0..LONG {
            record_materialization(&mut meta, Interval { start: hour(0), end: hour(1) }, hour(1));
        }
        assert_eq!(meta.materialization_intervals, vec![interval(0, 1); LONG]);
    }

    #[test]
    fn merged_intervals_stand_where_their_first_part_stood() {
        let list =
            vec![interval(5, 6), interval(9, 9), interval(1, 2), interval(2, 4), interval(6, 7), interval(12, 3)];
        assert_eq!(merged(list.clone()), [interval(5, 7), interval(9, 9), interval(1, 4)]);
        let future = [vec![interval(50, 40), interval(50, 45)], list].concat();
        assert_eq!(merged(future), [interval(50, 45), interval(5, 7), interval(9, 9), interval(1, 4)]);
    }

    /// Which of the moments 0 to 40 (in half hours) are covered, and the latest end.
    fn covered(intervals: &[MaterializationInterval]) -> (Vec<i64>, Option<(i64, i32)>) {
        let moment = |time: Option<wire::Timestamp>| time.map(|time| (time.seconds, time.nanos));
        let within = |half: i64| {
            let at = Some((half * 1800, 0));
            intervals.iter().any(|interval| moment(interval.start_time) <= at && at <= moment(interval.end_time))
        };
        ((0..=40).filter(|half| within(*half)).collect(), intervals.iter().filter_map(|one| moment(one.end_time)).max())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn merging_keeps_the_covered_times_and_the_latest_end(
            ends in prop::collection::vec((0_i64..20, 0_i64..20), 0..60)
        ) {
            let list: Vec<_> = ends.into_iter().map(|(start, end)| interval(start, end)).collect();
            let after = merged(list.clone());
            prop_assert_eq!(covered(&after), covered(&list));
            prop_assert!(after.len() <= list.len() && after.len() <= 11);
            prop_assert_eq!(merged(after.clone()), after);
        }
    }
}
