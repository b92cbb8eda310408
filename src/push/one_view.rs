//! A view that rows are written to by its name, without a push source in between.

use super::FedView;
use crate::{
    model::{DataSource, NamedView, Object, PushSource, RegistryState, SourceKind},
    problem::{Kind, Problem},
    retrieval::{EVENT_TIMESTAMP, view},
    sources::Columns,
};

/// The column with the times at which rows were written, as Feast's remote online store calls it.
const CREATED: &str = "created";

/// The view of a name, for rows with these columns. Their times are in the columns that its source has for them, or else
/// in those whose fixed names Feast's remote online store gives them, whatever the source calls them
/// (`feast/infra/online_stores/remote.py`).
///
/// # Errors
/// When there is no such view, or its values are not stored online.
pub fn named_view(state: &RegistryState, name: &str, columns: &Columns) -> Result<FedView, Problem> {
    if let NamedView::Known(Object::OnDemandFeatureView(computed)) = state.view(name)
        && !computed.write_to_online_store
    {
        let message = format!("on-demand view `{name}` takes no rows: its values are computed when they are asked for");
        let help = "write rows of the views that it is computed of, or set `write_to_online_store` in its definition";
        return Err(Problem::new(Kind::Invalid, message, help.to_owned()));
    }
    let mut view = view(state, name)?;
    if !view.online {
        let message = format!("feature view `{}` is not for the online store", view.name);
        let help = "set `online: true` in its definition and apply it".to_owned();
        return Err(Problem::new(Kind::Conflict, message, help));
    }
    let source = view.source.get_or_insert_with(|| without_rows(name));
    let has = |name: &str| columns.get(name).is_some();
    let is_there = |source: &DataSource, column: &str| has(column) || has(source.mapped(column));
    if !is_there(source, source.event_column()) && has(EVENT_TIMESTAMP) {
        source.timestamp_field = EVENT_TIMESTAMP.to_owned();
    }
    let created = source.created_column();
    if !created.is_empty() && !is_there(source, created) && has(CREATED) {
        source.created_timestamp_column = CREATED.to_owned();
    }
    Ok(FedView { view, goes_online: true })
}

/// What names the times of views that nothing else does, such as computed ones.
fn without_rows(view: &str) -> DataSource {
    let timestamp_field = EVENT_TIMESTAMP.to_owned();
    DataSource { timestamp_field, ..DataSource::new(view, SourceKind::Push(PushSource { batch_source: None })) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{FeatureView, samples},
        retrieval::Entities,
    };

    fn state(view: FeatureView) -> RegistryState {
        let object = Object::FeatureView(view);
        RegistryState { objects: [(object.id(), object)].into(), ..RegistryState::default() }
    }

    fn over(source: DataSource) -> FeatureView {
        FeatureView { source: Some(source), online: true, ..samples::view("v", &["x"]) }
    }

    /// What the times of rows with these columns are called.
    fn times(view: &FeatureView, columns: &[&str]) -> [String; 2] {
        let columns = columns.iter().map(|name| ((*name).to_owned(), Vec::new())).collect();
        let rows = Entities::of_json(columns).unwrap().open().unwrap();
        let found = named_view(&state(view.clone()), "v", rows.columns()).unwrap().view;
        let source = found.source.as_ref().unwrap();
        [source.event_column().to_owned(), source.created_column().to_owned()]
    }

    #[test]
    fn times_are_in_the_columns_of_the_source_or_in_those_of_feasts_client() {
        let source = DataSource {
            timestamp_field: "at".to_owned(),
            created_timestamp_column: "written".to_owned(),
            field_mapping: [("raw_at".to_owned(), "at".to_owned())].into(),
            ..samples::source("stats")
        };
        let view = over(source.clone());
        for (columns, expected) in [
            (&["event_timestamp", "created"][..], ["event_timestamp", "created"]),
            (&["raw_at", "event_timestamp", "written", "created"], ["raw_at", "written"]),
            (&["at", "created"], ["raw_at", "created"]),
            (&[], ["raw_at", "written"]),
        ] {
            assert_eq!(times(&view, columns), expected, "{columns:?}");
        }
        let without = over(DataSource { created_timestamp_column: String::new(), ..source });
        assert_eq!(times(&without, &["event_timestamp", "created"]), ["event_timestamp", ""]);
        let nowhere = FeatureView { source: None, ..view };
        assert_eq!(times(&nowhere, &["event_timestamp", "created"]), ["event_timestamp", ""]);
    }

    #[test]
    fn views_whose_values_are_not_stored_take_none() {
        let columns = Columns::default();
        let offline = FeatureView { online: false, ..over(samples::source("stats")) };
        assert_eq!(named_view(&state(offline), "v", &columns).unwrap_err().kind, Kind::Conflict);
        let disabled = FeatureView { enabled: false, ..over(samples::source("stats")) };
        assert_eq!(named_view(&state(disabled), "v", &columns).unwrap_err().kind, Kind::Conflict);
        let computed = Object::OnDemandFeatureView(samples::on_demand_view("v"));
        let computed = RegistryState { objects: [(computed.id(), computed)].into(), ..RegistryState::default() };
        assert_eq!(named_view(&computed, "v", &columns).unwrap_err().kind, Kind::Invalid);
        let other = over(samples::source("stats"));
        assert_eq!(named_view(&state(other), "w", &columns).unwrap_err().kind, Kind::NotFound);
    }
}
