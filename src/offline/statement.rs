//! A join as one statement in SQL, for people: what comes out is the same, and how it is found is another matter. It is
//! what DuckDB and PostgreSQL both understand.

use super::join::{Join, Side};
use crate::{
    model::{DataSource, SourceKind},
    retrieval::Retrieval,
    sql_name::quoted,
};

/// The statement. Entity rows are called `entity_rows` in it.
pub(super) fn statement(join: &Join<'_>, retrieval: &Retrieval, time_column: &str) -> String {
    let mut columns = vec!["e.*".to_owned()];
    for (number, selected) in retrieval.views.iter().enumerate() {
        let source = selected.view.source.as_ref();
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
        .filter_map(|(number, side)| Some(lateral(join, side, side.view.source.as_ref()?, (number, time_column))))
        .collect();
    format!("SELECT {}\nFROM entity_rows AS e\n{}", columns.join(",\n  "), joins.join("\n"))
}

/// The newest row of a view's source that is there at the entity row's time.
fn lateral(join: &Join<'_>, side: &Side<'_>, source: &DataSource, (number, time_column): (usize, &str)) -> String {
    let time = format!("e.{}", quoted(time_column));
    let event = format!("s.{}", quoted(source.event_column()));
    let created = (!source.created_column().is_empty()).then(|| format!("s.{}", quoted(source.created_column())));
    let keys = side.view.join_keys().iter().zip(&side.keys).map(|(field, key)| {
        format!("s.{} = e.{}", quoted(source.unmapped(&field.name)), quoted(&join.keys[*key].column))
    });
    let mut conditions: Vec<String> = keys.collect();
    conditions.push(format!("{event} <= {time}"));
    conditions.extend(side.ttl.map(|ttl| format!("{event} >= {time} - {}", interval(ttl))));
    if side.by_created {
        conditions.extend(created.iter().map(|created| format!("{created} <= {time}")));
    }
    let order = created.map_or(String::new(), |created| format!(", {created} DESC NULLS LAST"));
    format!(
        "LEFT JOIN LATERAL (\n  SELECT * FROM {} AS s\n  WHERE {}\n  ORDER BY {event} DESC{order}\n  LIMIT 1\n) AS \
         v{number} ON true",
        rows_of(source),
        conditions.join("\n    AND ")
    )
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
            DataSource, FeatureView, FileSource, Object, Ttl,
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
            AND s."event_timestamp" >= e."event_timestamp" - INTERVAL '60 seconds'
            AND s."created" <= e."event_timestamp"
          ORDER BY s."event_timestamp" DESC, s."created" DESC NULLS LAST
          LIMIT 1
        ) AS v0 ON true
        "#);
    }
}
