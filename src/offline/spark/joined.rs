//! A point-in-time join as one statement of Spark SQL, for Spark and Sail.
//!
//! `e` has the entity rows: their number `n`, time `t` and keys `k0`, …. Of each view, `s0`, … has the rows that can matter,
//! and `v0`, … for each entity row the one that counts: of those that are there the newest by event, then by creation, then
//! the one with the greatest values. All features of a view are of that one row, also those that are null there. How it is
//! found is said for each view: candidates are numbered (`numbered.rs`), or rows are carried forward (`carried.rs`).

use super::{carried, form::Form, joined_side::JoinedSide, numbered, sql::quoted, upload::SentRows};

/// The column with the number of the entity row.
pub(super) const NUMBER: &str = "__feastr_row";

/// The statement that answers numbers of entity rows and features, in any order. Entity rows have so many keys, and each
/// side has its form.
pub(super) fn joined(sides: &[(&JoinedSide<'_>, Form)], entities: &SentRows, keys: usize) -> String {
    let names: String = (0..keys).map(|key| format!(", k{key}")).collect();
    let mut with = vec![format!("e AS (SELECT n, t{names} FROM {})", entities.name)];
    // Every view has each entity row once, so that the first one stands for them: servers copy those each time they are named.
    let (mut all, mut selected, mut joins) = ("e".to_owned(), Vec::new(), String::new());
    for (number, (side, form)) in sides.iter().enumerate() {
        if side.side.features.is_empty() {
            continue;
        }
        let counting = match form {
            Form::Numbered => numbered::counting(side, number),
            Form::CarriedForward => carried::counting(side, number),
        };
        with.push(format!("s{number} AS ({})", side.candidates(&side.features(), entities.times)));
        with.push(format!("v{number} AS ({counting})"));
        match selected.is_empty() {
            true => all = format!("v{number}"),
            false => joins += &format!("\nLEFT JOIN v{number} ON v{number}.n = {all}.n"),
        }
        let outputs = side.side.features.iter().zip(&side.outputs);
        selected.extend(outputs.map(|(feature, output)| format!(", v{number}.f{feature} AS {}", quoted(output))));
    }
    format!("WITH {}\nSELECT {all}.n AS {NUMBER}{}\nFROM {all}{joins}", with.join(",\n"), selected.concat())
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType as ArrowType, Field, Schema, TimeUnit};

    use super::*;
    use crate::{
        model::{Ttl, samples::view},
        offline::{
            join::Side,
            spark::{named_rows::NamedRows, view_rows::ViewRows},
        },
        sources::OpenSource,
    };

    /// The statement that joins one view in a form.
    fn statement(form: Form, ttl: i64, (has_created, by_created, has_key): (bool, bool, bool)) -> String {
        let mut view = view("drivers", &["x"]);
        view.ttl = Ttl::from_micros(ttl);
        if has_created {
            view.source.as_mut().unwrap().created_timestamp_column = "created".to_owned();
        }
        if !has_key {
            view.entity_columns.clear();
        }
        let time = || ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let kinds = [
            ("driver_id", ArrowType::Int64),
            ("event_timestamp", time()),
            ("created", time()),
            ("x", ArrowType::Float32),
        ];
        let columns = Schema::new(kinds.map(|(name, kind)| Field::new(name, kind, true)).to_vec());
        let rows = NamedRows {
            name: "source".to_owned(),
            columns: OpenSource::batches(&columns, Vec::new(), "rows"),
            day: None,
        };
        let keys = if has_key { vec![0] } else { Vec::new() };
        let side = Side { view: &view, keys, features: vec![0], ttl: view.ttl.limit(), by_created };
        let rows = ViewRows::of(&view, view.source.as_ref().unwrap(), &rows).unwrap();
        let side = JoinedSide { side: &side, rows, outputs: vec!["x"] };
        let entities = SentRows { name: "entities".to_owned(), count: 9, times: Some((10, 20)) };
        joined(&[(&side, form)], &entities, 1)
    }

    #[test]
    fn candidates_are_in_the_range_that_can_matter() {
        for form in [Form::Numbered, Form::CarriedForward] {
            let bounded = statement(form, 5, (false, false, true));
            assert!(
                bounded.contains(
                    "`event_timestamp` >= timestamp_micros(5L) AND `event_timestamp` <= timestamp_micros(20L)"
                )
            );
            let unbounded = statement(form, 0, (true, true, true));
            assert!(
                !unbounded.contains("`event_timestamp` >=") && unbounded.contains("`created` <= timestamp_micros(20L)")
            );
        }
    }

    #[test]
    fn the_same_row_counts_in_both_forms() {
        let numbered = |flags| statement(Form::Numbered, 5, flags);
        let carried = |flags| statement(Form::CarriedForward, 5, flags);
        assert!(numbered((true, false, true)).contains("ORDER BY s.t DESC NULLS LAST, s.c DESC NULLS LAST, s.f0 DESC"));
        assert!(carried((true, false, true)).contains("ORDER BY t ASC NULLS FIRST, c ASC NULLS FIRST, f0 ASC"));
        assert!(carried((true, false, true)).contains(", t AS seen"));
        assert!(carried((true, true, true)).contains(", greatest(t, c) AS seen"));
        assert!(numbered((true, true, true)).contains("s.c <= e.t"));
        assert!(carried((false, false, true)).contains("PARTITION BY k0 ORDER BY seen"));
        assert!(carried((false, false, false)).contains("OVER (ORDER BY seen"));
        assert!(carried((false, false, true)).contains("CASE WHEN event >= t - 5L THEN carried.f0 END AS f0"));
        assert!(statement(Form::CarriedForward, 0, (false, false, true)).contains("CASE WHEN event IS NOT NULL THEN"));
    }
}
