//! Carries out aggregates of rows.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{Field as ArrowField, Schema},
};

use super::{
    super::{
        DuckDbStore, result_file,
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
        transformation::{Needed, Span, WrongTransformation, aggregate, input},
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
    rows: ViewSource<'a>,
    needed: &Needed<'_>,
) -> Result<ViewSource<'a>, WrongTransformation> {
    let (view, session, place) = (rows.view, store.session()?, store.place_for_rows()?);
    let what = format!("cannot aggregate for feature view `{}`", view.name);
    let Chosen { wanted, columns } = Chosen::of(aggregations, &rows, needed.features)?;
    let aggregates = Aggregates {
        all: aggregations,
        wanted,
        columns: columns.len(),
        keys: view.join_keys().len(),
        by_created: needed.by_created && rows.has_created(),
        has_created: rows.has_created(),
    };
    let asked = needed.keys.filter(|keys| !keys.is_empty()).map(|keys| asked(keys, &session)).transpose()?;
    let reach = Reach::of(aggregations);
    let table = |span: Span| {
        let scan = rows.scan_columns(columns.clone())?;
        let ticks = scan.ticks();
        let (first, last) = span.events(reach).unwrap_or((i64::MIN, i64::MAX));
        let table = ViewTable::of(scan.between(ticks.of_micros(first), ticks.of_micros(last)), &session);
        let sql = counted_rows(&table, asked.as_ref(), aggregates.by_created);
        Ok::<_, Problem>((table, sql))
    };
    let (mut tables, mut parts) = (Vec::new(), Vec::new());
    let span = needed.span.unwrap_or(Span { from: 0, first: 0, last: 0 });
    // Nothing is known at the first of all moments.
    if span.first > i64::MIN {
        let (table, rows) = table(Span { last: span.first, ..span })?;
        if needed.span.is_none() {
            check_each(&session, &what, &aggregates, &rows)?;
        }
        parts.push(format!("FROM ({})", aggregates.at_first(&rows, span)));
        tables.push(table);
    }
    if span.last > span.first {
        let (table, rows) = table(Span { from: span.first, ..span })?;
        parts.push(format!("FROM ({})", aggregates.changes(&rows, span)));
        tables.push(table);
    }
    let sql = format!("SELECT {} FROM ({})", named(&rows, needed.features).join(", "), parts.join(" UNION ALL "));
    let scans: Vec<&ScanTable> = tables.iter().map(|table| &table.table).chain(&asked).collect();
    let shown = format!("rows of feature view `{}`", view.name);
    result_file::write(&session, Work { what: &what, scans: &scans }, &sql, (&place, &shown))?;
    let unfit = rows.unfit() + tables.iter().map(|table| table.table.unfit()).sum::<u64>();
    let computed = DerivedRows::of(place, view, (false, unfit))?;
    Ok(rows.over(computed))
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

/// Those who are asked about, as a table.
fn asked(keys: &[ArrayRef], session: &DuckdbSession) -> Result<ScanTable, Problem> {
    let names: Vec<String> = (0..keys.len()).map(|key| format!("k{key}")).collect();
    let fields = names.iter().zip(keys).map(|(name, key)| ArrowField::new(name, key.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let rows = RecordBatch::try_new(Arc::clone(&schema), keys.to_vec())
        .map_err(|error| Problem::new(Kind::Internal, format!("cannot look for entities: {error}"), None))?;
    let wanted = |column: String| Wanted { column, role: Role::AsIs, null_if_unfit: false };
    let rows = OpenSource::batches(&schema, vec![rows], "the entity rows");
    Ok(session.table(rows.scan(names.into_iter().map(wanted).collect())?))
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
    let among = asked.map_or_else(String::new, |asked| {
        let same: Vec<String> = keys.iter().map(|key| format!("s.{key} = asked.{key}")).collect();
        format!(" SEMI JOIN {} ON {}", asked.sql("asked", &keys), same.join(" AND "))
    });
    format!("SELECT {} FROM {}{among} WHERE {}", selected.join(", "), table.sql(), known.join(" AND "))
}
