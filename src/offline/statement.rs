//! A join as one statement in SQL, for people: what comes out is the same, and how it is found is another matter. It is
//! what DuckDB and PostgreSQL both understand.

use super::{
    join::{Join, Side},
    transformation::aggregate,
};
use crate::{
    model::{Aggregation, DataSource, FeatureView, Reach, SourceKind, Transformation},
    retrieval::Retrieval,
    sql_name::quoted,
};

/// The statement. Entity rows are called `entity_rows` in it.
pub(super) fn statement(join: &Join<'_>, retrieval: &Retrieval, time_column: &str) -> String {
    let mut columns = vec!["e.*".to_owned()];
    for (number, selected) in retrieval.views.iter().enumerate() {
        // What is computed is called as the view calls it.
        let source = selected.view.source.as_ref().filter(|_| !selected.view.is_transformed());
        let column = |name: &str| quoted(source.map_or(name, |source| source.unmapped(name)));
        let named = selected.features.iter();
        columns.extend(
            named.map(|feature| format!("v{number}.{} AS {}", column(&feature.field.name), quoted(&feature.output))),
        );
    }
    let joins: Vec<String> = join
        .sides
        .iter()
        .enumerate()
        .filter_map(|(number, side)| {
            let rows = Rows::of(side.view)?;
            Some(format!("LEFT JOIN LATERAL (\n{}\n) AS v{number} ON true", lateral(join, side, &rows, time_column)))
        })
        .collect();
    format!("SELECT {}\nFROM entity_rows AS e\n{}", columns.join(",\n  "), joins.join("\n"))
}

/// The rows of a view, and what of them is joined.
struct Rows {
    /// Behind `FROM`.
    from: String,
    event: String,
    created: Option<String>,
    /// For each join key of the view its column.
    keys: Vec<String>,
    aggregations: Vec<Aggregation>,
}

impl Rows {
    /// When a row was written, where that decides about whether it is there.
    fn created(&self, side: &Side<'_>) -> Option<&str> {
        self.created.as_deref().filter(|_| side.by_created)
    }

    fn of(view: &FeatureView) -> Option<Self> {
        let source = view.source.as_ref()?;
        let transformation = Transformation::of(&view.tags).ok().flatten();
        let (sql, aggregations) = transformation.map_or((None, Vec::new()), |made| (made.sql, made.aggregations));
        let rows = rows_of(source);
        // What a query gives is called as the view calls it.
        let column = |name: &str| match &sql {
            Some(_) => format!("s.{}", quoted(source.mapped(source.unmapped(name)))),
            None => format!("s.{}", quoted(source.unmapped(name))),
        };
        let from = match &sql {
            Some(sql) => format!("(\n    WITH {}\n    SELECT * FROM (\n{sql}\n    )\n  )", named(source, &rows)),
            None => rows,
        };
        Some(Self {
            event: column(&source.timestamp_field),
            created: (!source.created_column().is_empty()).then(|| column(&source.created_timestamp_column)),
            keys: view.join_keys().iter().map(|key| column(&key.name)).collect(),
            aggregations: aggregations
                .into_iter()
                .map(|aggregation| Aggregation {
                    name: aggregation.output(),
                    column: column(&aggregation.column),
                    ..aggregation
                })
                .collect(),
            from,
        })
    }
}

/// Rows of a source under the names that its views' queries know.
fn named(source: &DataSource, rows: &str) -> String {
    let renamed = source.field_mapping.iter().map(|(raw, name)| format!("{} AS {}", quoted(raw), quoted(name)));
    let renamed: Vec<String> = renamed.collect();
    let columns = if renamed.is_empty() { "*".to_owned() } else { format!("* RENAME ({})", renamed.join(", ")) };
    let own = Some(&source.name).filter(|name| !name.eq_ignore_ascii_case("source"));
    let own = own.map_or_else(String::new, |name| format!(", {} AS (SELECT * FROM source)", quoted(name)));
    format!("source AS (SELECT {columns} FROM {rows}){own}")
}

/// The newest row of a view that is there at the entity row's time, or the aggregates of those that are.
fn lateral(join: &Join<'_>, side: &Side<'_>, rows: &Rows, time_column: &str) -> String {
    let (time, event) = (format!("e.{}", quoted(time_column)), &rows.event);
    let keys = rows.keys.iter().zip(&side.keys);
    let keys = keys.map(|(column, key)| format!("{column} = e.{}", quoted(&join.keys[*key].column)));
    let mut conditions: Vec<String> = keys.collect();
    conditions.push(format!("{event} <= {time}"));
    conditions.extend(rows.created(side).map(|created| format!("{created} <= {time}")));
    let not_older = |moment: &str| side.ttl.map(|ttl| format!("{moment} >= {time} - {}", interval(ttl)));
    if !rows.aggregations.is_empty() {
        // What was written after it had left all windows was never known.
        if let (Reach::Span(longest), Some(created)) = (Reach::of(&rows.aggregations), rows.created(side)) {
            conditions.push(format!("{created} < {event} + {}", interval(longest)));
        }
        let known = not_older(&last_change(side, rows, &time)).unwrap_or_else(|| "count(*) > 0".to_owned());
        return format!(
            "  SELECT {}\n  FROM {} AS s\n  WHERE {}\n  HAVING {known}",
            aggregates(side, rows, &time).join(",\n    "),
            rows.from,
            conditions.join("\n    AND ")
        );
    }
    conditions.extend(not_older(event));
    let order = rows.created.as_ref().map_or(String::new(), |created| format!(", {created} DESC NULLS LAST"));
    format!(
        "  SELECT * FROM {} AS s\n  WHERE {}\n  ORDER BY {event} DESC{order}\n  LIMIT 1",
        rows.from,
        conditions.join("\n    AND ")
    )
}

/// The aggregates that are wanted, of the rows that are in their window.
fn aggregates(side: &Side<'_>, rows: &Rows, time: &str) -> Vec<String> {
    let created = rows.created.as_ref().map(|created| format!(", coalesce({created}, '-infinity')"));
    let order = format!("{}{}", rows.event, created.unwrap_or_default());
    let wanted = side.features.iter().map(|feature| &side.view.features[*feature].name);
    let made = wanted.filter_map(|name| rows.aggregations.iter().find(|aggregation| aggregation.name == *name));
    made.filter_map(|aggregation| {
        let call = aggregate(&aggregation.function, &aggregation.column, &order)?;
        let inside = aggregation
            .time_window
            .limit()
            .map_or(String::new(), |window| format!(" FILTER (WHERE {} > {time} - {})", rows.event, interval(window)));
        Some(format!("{call}{inside} AS {}", quoted(&aggregation.name)))
    })
    .collect()
}

/// When aggregates have changed for the last time: a row has come into a window, or left one.
fn last_change(side: &Side<'_>, rows: &Rows, time: &str) -> String {
    let (event, windows) = (&rows.event, rows.aggregations.iter().filter_map(|made| made.time_window.limit()));
    let come = rows.created(side).map(|created| format!("max(greatest({event}, {created}))"));
    let come = come.unwrap_or_else(|| format!("max({event})"));
    let left = windows.map(|window| {
        let end = format!("{event} + {}", interval(window));
        let was_there = rows.created(side).map_or(String::new(), |created| format!(" AND {created} < {end}"));
        format!("max({end}) FILTER (WHERE {end} <= {time}{was_there})")
    });
    let changes: Vec<String> = [come].into_iter().chain(left).collect();
    format!("greatest({})", changes.join(", "))
}

/// Where the rows of a source are.
fn rows_of(source: &DataSource) -> String {
    match &source.kind {
        SourceKind::File(file) => format!("'{}'", file.path.replace('\'', "''")),
        kind => kind.place().unwrap_or(&source.name).to_owned(),
    }
}

/// A span of microseconds.
fn interval(micros: i64) -> String {
    const SECOND: i64 = 1_000_000;
    match micros % SECOND {
        0 => format!("INTERVAL '{} seconds'", micros / SECOND),
        _ => format!("INTERVAL '{micros} microseconds'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            AGGREGATIONS_TAG, DataSource, FeatureView, FileSource, Object, SQL_TAG, Ttl,
            samples::{registered, source, view},
        },
        retrieval::{Purpose, Selection, resolve},
    };

    #[test]
    fn a_join_can_be_said_in_sql() {
        let kind = SourceKind::File(FileSource { path: "data/it's.parquet".to_owned(), ..FileSource::default() });
        let source = DataSource {
            kind,
            created_timestamp_column: "created".to_owned(),
            field_mapping: [("raw".to_owned(), "x".to_owned())].into(),
            ..source("stats")
        };
        let view = FeatureView { source: Some(source), ttl: Ttl::from_micros(60_000_000), ..view("v", &["x", "y"]) };
        let selection = Selection::of_features(vec!["v:x".parse().unwrap(), "v:y".parse().unwrap()]);
        let retrieval = resolve(&registered([Object::FeatureView(view)]), &selection, true, Purpose::Training).unwrap();
        insta::assert_snapshot!(statement(&Join::of(&retrieval, true), &retrieval, "event_timestamp"), @r#"
        SELECT e.*,
          v0."raw" AS "v__x",
          v0."y" AS "v__y"
        FROM entity_rows AS e
        LEFT JOIN LATERAL (
          SELECT * FROM 'data/it''s.parquet' AS s
          WHERE s."driver_id" = e."driver_id"
            AND s."event_timestamp" <= e."event_timestamp"
            AND s."created" <= e."event_timestamp"
            AND s."event_timestamp" >= e."event_timestamp" - INTERVAL '60 seconds'
          ORDER BY s."event_timestamp" DESC, s."created" DESC NULLS LAST
          LIMIT 1
        ) AS v0 ON true
        "#);
    }
    #[test]
    fn what_a_view_computes_is_part_of_it() {
        let source = DataSource { field_mapping: [("raw".to_owned(), "x".to_owned())].into(), ..source("stats") };
        let aggregations = r#"[
            {"column": "x", "function": "sum", "time_window": "1h", "slide_interval": "1h", "name": ""},
            {"column": "x", "function": "last", "time_window": "0", "slide_interval": "0", "name": "newest"}]"#;
        let said = |tags: &[(&str, &str)], ttl: i64| {
            let view = FeatureView {
                source: Some(source.clone()),
                tags: tags.iter().map(|(tag, text)| ((*tag).to_owned(), (*text).to_owned())).collect(),
                ttl: Ttl::from_micros(ttl),
                ..view("v", &["sum_x_3600s", "newest"])
            };
            let selection = Selection::of_features(vec!["v:sum_x_3600s".parse().unwrap(), "v:newest".parse().unwrap()]);
            let retrieval =
                resolve(&registered([Object::FeatureView(view)]), &selection, false, Purpose::Training).unwrap();
            statement(&Join::of(&retrieval, false), &retrieval, "at")
        };
        insta::assert_snapshot!(said(&[(AGGREGATIONS_TAG, aggregations)], 0), @r#"
        SELECT e.*,
          v0."sum_x_3600s" AS "sum_x_3600s",
          v0."newest" AS "newest"
        FROM entity_rows AS e
        LEFT JOIN LATERAL (
          SELECT sum(s."raw") FILTER (WHERE s."event_timestamp" > e."at" - INTERVAL '3600 seconds') AS "sum_x_3600s",
            arg_max(s."raw", row(s."event_timestamp", s."raw")) AS "newest"
          FROM 'data/stats.parquet' AS s
          WHERE s."driver_id" = e."driver_id"
            AND s."event_timestamp" <= e."at"
          HAVING count(*) > 0
        ) AS v0 ON true
        "#);
        insta::assert_snapshot!(said(&[(AGGREGATIONS_TAG, aggregations), (SQL_TAG, "SELECT * FROM source")], 1_000_000), @r#"
        SELECT e.*,
          v0."sum_x_3600s" AS "sum_x_3600s",
          v0."newest" AS "newest"
        FROM entity_rows AS e
        LEFT JOIN LATERAL (
          SELECT sum(s."x") FILTER (WHERE s."event_timestamp" > e."at" - INTERVAL '3600 seconds') AS "sum_x_3600s",
            arg_max(s."x", row(s."event_timestamp", s."x")) AS "newest"
          FROM (
            WITH source AS (SELECT * RENAME ("raw" AS "x") FROM 'data/stats.parquet'), "stats" AS (SELECT * FROM source)
            SELECT * FROM (
        SELECT * FROM source
            )
          ) AS s
          WHERE s."driver_id" = e."driver_id"
            AND s."event_timestamp" <= e."at"
          HAVING greatest(max(s."event_timestamp"), max(s."event_timestamp" + INTERVAL '3600 seconds') FILTER (WHERE s."event_timestamp" + INTERVAL '3600 seconds' <= e."at")) >= e."at" - INTERVAL '1 seconds'
        ) AS v0 ON true
        "#);
    }
}
