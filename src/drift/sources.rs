//! Registered views against the files of their sources.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, FindingKind};
use crate::{
    model::{DataSource, FeatureView, Field, Object, ObjectId, ObjectKind, RegistryState, SourceKind, Values, View},
    problem::{Kind, Problem},
    sources::{OpenSource, Role, look_at_all},
};

/// Looks at the files of a source.
pub type InspectSource<'a> = &'a (dyn Fn(&DataSource) -> Result<OpenSource, Problem> + Sync);

/// Looks whether what a view computes can be computed of the columns of its source.
pub type CheckTransformation<'a> = &'a (dyn Fn(&FeatureView, &OpenSource) -> Result<(), Problem> + Sync);

/// Where the files of registered sources are not what the registered views need.
pub fn sources(
    state: &RegistryState,
    inspect: InspectSource<'_>,
    check_transformation: CheckTransformation<'_>,
) -> Vec<Finding> {
    let sources: Vec<&DataSource> = state
        .objects
        .values()
        .filter_map(|object| match object {
            Object::DataSource(source) => Some(source),
            _ => None,
        })
        .collect();
    look_at_all(&sources, |source| source, |source| of_source(state, source, inspect, check_transformation))
        .into_iter()
        .flatten()
        .collect()
}

/// Where the files of a source are not what the views over it need. Nothing is found of kinds that nobody looks at.
fn of_source(
    state: &RegistryState,
    source: &DataSource,
    inspect: InspectSource<'_>,
    check_transformation: CheckTransformation<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let place = match &source.kind {
        SourceKind::File(file) => format!("`{}`", file.path),
        SourceKind::Postgres(postgres) if postgres.table.is_empty() => "its query".to_owned(),
        SourceKind::Postgres(postgres) => format!("table `{}`", postgres.table),
        _ => return findings,
    };
    match inspect(source) {
        Ok(opened) => {
            check(state, source, &place, &opened, &mut findings);
            // Stream views may be meant for another engine.
            for view in computed_of(state, source) {
                if let Err(problem) = check_transformation(view, &opened) {
                    let id = ObjectId::new(ObjectKind::FeatureView, &view.name);
                    let message = format!("cannot be computed any more: {}", problem.message);
                    findings.push(Finding::new(FindingKind::NotComputable, id, message));
                }
            }
        }
        Err(problem) if problem.kind == Kind::Unsupported => {
            let message = format!("was not looked at: {}", problem.message);
            findings.push(Finding::about_source(FindingKind::SourceNotChecked, &source.name, message));
        }
        Err(problem) => {
            let message = format!("cannot be read: {}", problem.message);
            findings.push(Finding::about_source(FindingKind::SourceMissing, &source.name, message));
        }
    }
    findings
}

fn check(state: &RegistryState, source: &DataSource, place: &str, opened: &OpenSource, findings: &mut Vec<Finding>) {
    let mut used: BTreeSet<&str> = BTreeSet::new();
    let named = [source.event_column(), source.created_column()];
    let mapped = source.field_mapping.keys().map(String::as_str);
    for column in named.into_iter().filter(|column| !column.is_empty()).chain(mapped) {
        if used.insert(column) && opened.columns().get(column).is_none() {
            let message = format!("{place} has no column `{column}` any more");
            findings.push(Finding::about_source(FindingKind::ColumnMissing, &source.name, message));
        }
    }
    let views = views_over(state, source);
    for (id, fields) in &views {
        for (field, is_key) in fields {
            let column = source.unmapped(&field.name);
            used.insert(column);
            match opened.columns().get(column) {
                None if source.field_mapping.contains_key(column) => {}
                None => {
                    let message = format!("needs column `{column}`, which {place} has no more");
                    findings.push(Finding::new(FindingKind::ColumnMissing, id.clone(), message));
                }
                Some(found) if !opened.accepts(found, &role(field, *is_key)) => {
                    let message = format!(
                        "says {} of column `{column}`, which has {} values in {place}",
                        field.dtype,
                        found.describe()
                    );
                    findings.push(Finding::new(FindingKind::ColumnRetyped, id.clone(), message));
                }
                Some(_) => {}
            }
        }
    }
    // What is computed may use any column.
    let is_known = !views.is_empty() && !state.views().any(|view| view.is_transformed() && is_over(&view, source));
    let unused = opened.columns().columns.iter().map(|column| column.name.as_str());
    for column in unused.filter(|column| is_known && !used.contains(column) && !column.starts_with("__")) {
        let message = format!("has column `{column}`, which no registered view uses");
        findings.push(Finding::about_source(FindingKind::ColumnUnused, &source.name, message));
    }
}

fn role(field: &Field, is_key: bool) -> Role {
    if is_key { Role::Key(field.dtype.clone()) } else { Role::Value(field.dtype.clone()) }
}

/// The views with rows of a source, each with the columns it reads, and whether these are join keys.
fn views_over<'a>(state: &'a RegistryState, source: &DataSource) -> BTreeMap<ObjectId, Vec<(&'a Field, bool)>> {
    // What a view computes from its source need not be there.
    let over = |view: &View<'_>| !view.is_transformed() && is_over(view, source);
    let columns = |view: View<'a>| {
        let keys = view.join_keys().iter().map(|key| (key, true));
        (view.id(), keys.chain(view.features.iter().map(|feature| (feature, false))).collect())
    };
    state.views().filter(over).map(columns).collect()
}

/// Whether a view has the rows of a source.
fn is_over(view: &View<'_>, source: &DataSource) -> bool {
    view.values == Values::Materialized && view.source.is_some_and(|own| own.name == source.name)
}

/// The batch views over a source.
fn computed_of<'a>(state: &'a RegistryState, source: &'a DataSource) -> impl Iterator<Item = &'a FeatureView> {
    state
        .objects
        .values()
        .filter_map(|object| match object {
            Object::FeatureView(view) if view.is_transformed() => Some(view),
            _ => None,
        })
        .filter(|view| view.source.as_ref().is_some_and(|own| own.name == source.name))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType as ArrowType;

    use super::*;
    use crate::{
        model::{DataType, Entity, FileSource, SQL_TAG, samples::registered},
        sources::{Column, Columns},
    };

    fn source() -> DataSource {
        let file = FileSource { path: "a.parquet".into(), ..FileSource::default() };
        DataSource {
            timestamp_field: "time".into(),
            field_mapping: BTreeMap::from([("raw".into(), "renamed".into())]),
            ..DataSource::new("source", SourceKind::File(file))
        }
    }

    fn state() -> RegistryState {
        let view = FeatureView {
            entities: vec!["driver".into()],
            entity_columns: vec![Field::new("driver", DataType::Int64)],
            features: vec![Field::new("renamed", DataType::Float32), Field::new("text", DataType::String)],
            source: Some(source()),
            ..FeatureView::new("view")
        };
        let entity = Entity { name: "driver".into(), join_key: "driver".into(), ..Entity::dummy() };
        registered([Object::DataSource(source()), Object::FeatureView(view), Object::Entity(entity)])
    }

    fn found(columns: &[(&str, ArrowType)]) -> Vec<(FindingKind, String)> {
        let columns: Vec<_> = columns.iter().map(|(name, kind)| Column::typed(name, kind.clone())).collect();
        let inspect = |source: &DataSource| OpenSource::known(source, Columns { columns: columns.clone(), rows: None });
        let findings = sources(&state(), &inspect, &|_, _| Ok(()));
        findings.into_iter().map(|finding| (finding.kind, format!("{} {}", finding.object, finding.message))).collect()
    }

    #[test]
    fn files_are_compared_with_what_is_registered() {
        let time = ("time", ArrowType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None));
        let key = ("driver", ArrowType::Int64);
        let raw = ("raw", ArrowType::Float32);
        let text = ("text", ArrowType::Utf8);
        assert_eq!(found(&[time.clone(), key.clone(), raw.clone(), text.clone()]), []);
        let changed = found(&[key, raw, ("text", ArrowType::Boolean), ("new", ArrowType::Int64)]);
        assert_eq!(
            changed,
            [
                (FindingKind::ColumnMissing, "data source source `a.parquet` has no column `time` any more".to_owned()),
                (
                    FindingKind::ColumnRetyped,
                    "feature view view says String of column `text`, which has boolean values in `a.parquet`"
                        .to_owned()
                ),
                (
                    FindingKind::ColumnUnused,
                    "data source source has column `new`, which no registered view uses".to_owned()
                ),
            ]
        );
        assert_eq!(found(&[time, text])[0].1, "data source source `a.parquet` has no column `raw` any more");
    }

    #[test]
    fn what_is_computed_may_use_any_column_and_is_tried() {
        let mut state = state();
        let tags = [(SQL_TAG.to_owned(), "SELECT new FROM source".to_owned())].into();
        let view = FeatureView { source: Some(source()), tags, ..FeatureView::new("computed") };
        state.objects.insert(ObjectId::new(ObjectKind::FeatureView, "computed"), Object::FeatureView(view));
        let columns = [("time", ArrowType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None))];
        let mut columns: Vec<_> = columns.iter().map(|(name, kind)| Column::typed(name, kind.clone())).collect();
        for (name, kind) in [("driver", ArrowType::Int64), ("raw", ArrowType::Float32), ("text", ArrowType::Utf8)] {
            columns.push(Column::typed(name, kind));
        }
        columns.push(Column::typed("new", ArrowType::Int64));
        let inspect = |source: &DataSource| OpenSource::known(source, Columns { columns: columns.clone(), rows: None });
        assert_eq!(sources(&state, &inspect, &|_, _| Ok(())), []);
        let gone = |_: &FeatureView, _: &OpenSource| {
            Err(Problem::new(crate::problem::Kind::Invalid, "there is no column `new`", None))
        };
        let found = sources(&state, &inspect, &gone);
        assert_eq!((found.len(), found[0].kind), (1, FindingKind::NotComputable));
        assert!(found[0].kind.is_drift());
        assert_eq!(found[0].message, "cannot be computed any more: there is no column `new`");
    }

    #[test]
    fn a_source_that_is_gone_is_one_finding() {
        let inspect =
            |_: &DataSource| Err(Problem::new(crate::problem::Kind::Invalid, "there is no file `a.parquet`", None));
        let findings = sources(&state(), &inspect, &|_, _| Ok(()));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].kind, FindingKind::SourceMissing);
        assert!(findings[0].kind.is_drift());
    }
}
