//! Carries out aggregates of rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};

use super::{
    super::{
        DuckDbStore,
        scans::ScanTable,
        session::{DuckdbSession, Work},
        view_table::{ViewTable, micros},
    },
    aggregates::Aggregates,
};
use crate::{
    diagnostics::did_you_mean,
    model::{Aggregation, Reach, TransformationPart},
    offline::{
        result_file,
        transformation::{About, AskedMoments, Needed, Span, WrongTransformation, aggregate, input},
        view_source::{DerivedRows, ViewSource},
    },
    problem::{Kind, Problem},
    sources::{OpenSource, Role, Wanted},
    sql_name::quoted,
};

/// The view over what aggregates make of its rows, as far as it is needed.
///
/// # Errors
/// When a feature is no aggregate, or one cannot be computed.
pub(super) fn rows<'a>(
    store: &DuckDbStore,
    aggregations: &[Aggregation],
    rows: &ViewSource<'a>,
    needed: &Needed<'_>,
) -> Result<ViewSource<'a>, WrongTransformation> {
    let (view, session, place) = (rows.view, store.session()?, store.place_for_rows()?);
    let what = format!("cannot aggregate for feature view `{}`", view.name);
    let Chosen { wanted, columns } = Chosen::of(aggregations, rows, needed.features)?;
    let aggregates = Aggregates {
        all: aggregations,
        wanted,
        columns: columns.len(),
        keys: view.join_keys().len(),
        by_created: needed.by_created && rows.has_created(),
        has_created: rows.has_created(),
    };
    let (span, asked) = match needed.about {
        About::Nobody => (Span { from: 0, first: 0, last: 0 }, None),
        About::Everybody(interval) => (Span::end_of(interval), None),
        About::Asked(moments) => (moments.span, Some(asked(moments, &session)?)),
    };
    let scan = match needed.about {
        About::Nobody => rows.without_rows()?.scan_columns(columns)?,
        _ => rows.scan_columns(columns)?,
    };
    let (ticks, events) = (scan.ticks(), span.events(Reach::of(aggregations)));
    let (first, last) = events.unwrap_or((i64::MIN, i64::MAX));
    let table = ViewTable::of(scan.between(ticks.of_micros(first), ticks.of_micros(last)), &session);
    let counted = counted_rows(&table, asked.as_ref(), aggregates.by_created);
    if matches!(needed.about, About::Nobody) {
        check_each(&session, &what, &aggregates, &counted)?;
    }
    let made = match &asked {
        // At one moment there is nothing to put into an order.
        Some(asked) if span.first < span.last => aggregates.at_moments(&counted, &moments(asked, aggregates.keys)),
        _ => aggregates.at_end(&counted, (span.from, span.last)),
    };
    let sql = format!("SELECT {} FROM ({made})", named(rows, needed.features).join(", "));
    let scans: Vec<&ScanTable> = [&table.table].into_iter().chain(&asked).collect();
    let shown = format!("rows of feature view `{}`", view.name);
    let work = Work { what: &what, scans: &scans };
    result_file::write((&place, &shown), |rows| session.stream(work, &sql, rows))?;
    let unfit = rows.unfit() + table.table.unfit();
    Ok(rows.over(DerivedRows::of(place, view, (false, unfit))?))
}

/// The columns of the result under the names that the view knows.
fn named(rows: &ViewSource<'_>, features: &[usize]) -> Vec<String> {
    let keys = rows.view.join_keys().iter().enumerate().map(|(number, key)| (format!("k{number}"), key.name.as_str()));
    let event = ("make_timestamp(t)".to_owned(), rows.source().mapped(rows.source().event_column()));
    let features = features.iter().enumerate();
    let features = features.map(|(number, feature)| (format!("g{number}"), rows.view.features[*feature].name.as_str()));
    keys.chain([event]).chain(features).map(|(column, name)| format!("{column} AS {}", quoted(name))).collect()
}

/// The aggregates that are wanted.
struct Chosen<'a> {
    /// Each with the number of the column that it aggregates.
    wanted: Vec<(&'a Aggregation, usize)>,
    columns: Vec<Wanted>,
}

impl<'a> Chosen<'a> {
    fn of(
        aggregations: &'a [Aggregation],
        rows: &ViewSource<'_>,
        features: &[usize],
    ) -> Result<Self, WrongTransformation> {
        let (mut chosen, mut columns) = (Vec::with_capacity(features.len()), Vec::<Wanted>::new());
        for feature in features {
            let name = &rows.view.features[*feature].name;
            let made = aggregations.iter().enumerate().find(|(_, aggregation)| aggregation.output() == *name);
            let Some((index, aggregation)) = made else {
                let outputs = aggregations.iter().map(Aggregation::output).collect::<Vec<_>>();
                let message = format!(
                    "cannot compute feature view `{}`: feature `{name}` is none of its aggregates, which are {}",
                    rows.view.name,
                    outputs.join(", ")
                );
                let help = "call the feature so, or give the aggregation this `name`".to_owned();
                return Err(Problem::new(Kind::Invalid, message, help).into());
            };
            let wrong = |message: String, help: Option<String>| WrongTransformation::Wrong {
                part: TransformationPart::Aggregation(index),
                message,
                help,
            };
            if aggregate(&aggregation.function, "x", "t").is_none() {
                let help = format!("there are {}", Aggregation::FUNCTIONS.join(", "));
                return Err(wrong(format!("there is no aggregate function `{}`", aggregation.function), Some(help)));
            }
            let known = rows.opened().columns().columns.iter().map(|column| rows.source().mapped(&column.name));
            let wanted =
                input(aggregation, rows).ok_or_else(|| match known.clone().any(|name| name == aggregation.column) {
                    true => wrong(format!("the values of column `{}` have no type in Feast", aggregation.column), None),
                    false => wrong(
                        format!("there is no column `{}` to be aggregated", aggregation.column),
                        did_you_mean(&aggregation.column, known),
                    ),
                })?;
            let column = columns.iter().position(|known| *known == wanted).unwrap_or_else(|| {
                columns.push(wanted);
                columns.len() - 1
            });
            chosen.push((aggregation, column));
        }
        Ok(Self { wanted: chosen, columns })
    }
}

/// Whether each aggregate can be computed of its column.
fn check_each(
    session: &DuckdbSession,
    what: &str,
    aggregates: &Aggregates<'_>,
    rows: &str,
) -> Result<(), WrongTransformation> {
    for ((aggregation, _), (_, call, _)) in aggregates.wanted.iter().zip(aggregates.calls()) {
        let work = Work { what, scans: &[] };
        session.columns(work, &format!("SELECT {call} FROM ({rows}) LIMIT 0")).map_err(|problem| {
            let part = aggregates.all.iter().position(|known| known == *aggregation).unwrap_or(0);
            let message = format!("`{}` cannot be computed of column `{}`", aggregation.function, aggregation.column);
            WrongTransformation::Wrong {
                part: TransformationPart::Aggregation(part),
                message,
                help: Some(problem.message.trim_start_matches(what).trim_start_matches(": ").to_owned()),
            }
        })?;
    }
    Ok(())
}

/// Those who are asked about, as a table: keys and moments.
fn asked(moments: &AskedMoments, session: &DuckdbSession) -> Result<ScanTable, Problem> {
    let mut columns: Vec<(String, ArrayRef)> = Vec::with_capacity(moments.keys.len() + 1);
    columns.extend(moments.keys.iter().enumerate().map(|(number, key)| (format!("k{number}"), Arc::clone(key))));
    columns.push(("t".to_owned(), Arc::new(moments.times.clone())));
    let wanted =
        |(name, _): &(String, ArrayRef)| Wanted { column: name.clone(), role: Role::AsIs, null_if_unfit: false };
    let wanted = columns.iter().map(wanted).collect();
    let rows = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
        .map_err(|error| Problem::new(Kind::Internal, format!("cannot look for entities: {error}"), None))?;
    let rows = OpenSource::batches(&rows.schema(), vec![rows], "the entity rows");
    Ok(session.table(rows.scan(wanted)?))
}

/// Who is asked about and when, as a statement.
fn moments(asked: &ScanTable, keys: usize) -> String {
    let names: Vec<String> = (0..keys).map(|key| format!("k{key}")).chain(["t".to_owned()]).collect();
    let known: Vec<String> = names.iter().map(|name| format!("{name} IS NOT NULL")).collect();
    format!("SELECT DISTINCT * FROM {} WHERE {}", asked.sql("asked", &names), known.join(" AND "))
}

/// The rows that may count, as a statement: of entities, of those who are asked about if only they matter.
fn counted_rows(table: &ViewTable, asked: Option<&ScanTable>, by_created: bool) -> String {
    let keys: Vec<String> = table.columns.key_names().collect();
    let event = micros("s.t", table.ticks());
    let from = match by_created {
        true => format!("greatest({event}, {})", micros("s.c", table.created_ticks())),
        false => event.clone(),
    };
    let created = table.columns.has_created.then(|| "s.c AS c".to_owned());
    let selected = keys.iter().map(|key| format!("s.{key}")).chain([format!("{event} AS t"), format!("{from} AS a")]);
    let selected: Vec<String> = selected.chain(created).chain(table.columns.feature_names()).collect();
    let known = keys.iter().map(String::as_str).chain(["t"]).chain(by_created.then_some("c"));
    let known: Vec<String> = known.map(|column| format!("s.{column} IS NOT NULL")).collect();
    let among = asked.filter(|_| !keys.is_empty()).map_or_else(String::new, |asked| {
        let names: Vec<String> = keys.iter().cloned().chain(["moment".to_owned()]).collect();
        let same: Vec<String> = keys.iter().map(|key| format!("s.{key} = asked.{key}")).collect();
        format!(" SEMI JOIN {} ON {}", asked.sql("asked", &names), same.join(" AND "))
    });
    format!("SELECT {} FROM {}{among} WHERE {}", selected.join(", "), table.sql(), known.join(" AND "))
}
