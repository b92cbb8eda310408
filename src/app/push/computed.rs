//! On-demand views whose values are stored, computed for those of whom an input was pushed.

use std::time::{Duration, Instant};

use crate::{
    app::FeatureStore,
    clients::runtime::wait,
    feast::values::entity_key::{EntityKeyEncoder, KeyPart},
    model::{FeatureView, Object, OnDemandFeatureView, OnDemandSource, RegistryState, Timestamp},
    online::{EncodedRow, OnlineStore, Replace, ViewLayout},
    problem::{Kind, Problem},
    push::{Newest, ViewReport},
    retrieval::inputs_of_stored,
    serving::{Answer, AnswerColumn, OnlineFeatures, Status},
};

/// How long the inputs of all entities may take to read.
const LONGEST_READ: Duration = Duration::from_secs(60);
/// Entities that are computed at once.
const ROWS: usize = 10_000;

/// Computes and stores the views over what was pushed, whose other inputs are those that are stored. What a row makes new
/// is as old as the row.
///
/// # Errors
/// When inputs cannot be read, a value cannot be computed, or the store cannot be written.
pub(super) fn write(
    store: &FeatureStore,
    online: &dyn OnlineStore,
    state: &RegistryState,
    pushed: &[&Newest<'_>],
) -> Result<Vec<ViewReport>, Problem> {
    let mut reports = Vec::new();
    for object in state.objects.values() {
        let Object::OnDemandFeatureView(view) = object else { continue };
        let is_stored = view.write_to_online_store && view.enabled;
        if let Some(newest) = pushed.iter().find(|newest| is_stored && is_over(view, newest.view())) {
            reports.push(compute(store, online, state, (view, newest))?);
        }
    }
    Ok(reports)
}

fn is_over(view: &OnDemandFeatureView, pushed: &FeatureView) -> bool {
    view.sources.iter().any(|source| matches!(source, OnDemandSource::View(input) if input.view == pushed.name))
}

fn compute(
    store: &FeatureStore,
    online: &dyn OnlineStore,
    state: &RegistryState,
    (view, newest): (&OnDemandFeatureView, &Newest<'_>),
) -> Result<ViewReport, Problem> {
    let inputs = inputs_of_stored(state, view)?;
    let stored = view.as_stored();
    let features = OnlineFeatures::new(store.project(), inputs.into(), online, store.expressions())?;
    let layout = ViewLayout::of(store.project(), &stored);
    let (mut written, mut rows) = (0, 0);
    for (entities, events) in newest.entities(ROWS)? {
        let answer = wait(features.of(&entities, store.now(), Instant::now() + LONGEST_READ))?;
        let encoded = Encoded::of(&stored, &answer)?;
        written += online.put(&layout, Replace::NotNewer, &encoded.rows(&events))?.written;
        rows += events.len() as u64;
    }
    Ok(ViewReport { view: view.name.clone(), written, older: rows.saturating_sub(written), out_of_range: 0 })
}

/// Keys and values on the wire.
struct Encoded {
    keys: Vec<Vec<u8>>,
    /// Those of each row.
    values: Vec<Vec<Vec<u8>>>,
}

impl Encoded {
    fn of(view: &FeatureView, answer: &Answer) -> Result<Self, Problem> {
        let column = |name: &str| -> Result<&AnswerColumn, Problem> {
            let missing = || {
                let message = format!("the inputs of `{}` are not of its entities: they have no {name}", view.name);
                let help = "name the entities of its sources in its definition, and apply it".to_owned();
                Problem::new(Kind::Conflict, message, help)
            };
            answer.columns.iter().find(|column| &*column.name == name).ok_or_else(missing)
        };
        let names: Vec<&str> = view.join_keys().iter().map(|key| key.name.as_str()).collect();
        let key_columns = names.iter().map(|name| column(name)).collect::<Result<Vec<_>, _>>()?;
        let features = view.features.iter().map(|feature| column(&feature.name)).collect::<Result<Vec<_>, _>>()?;
        let encoder = EntityKeyEncoder::new(&names)?;
        let rows = answer.columns.first().map_or(0, |column| column.values.len());
        let mut encoded = Self { keys: Vec::with_capacity(rows), values: Vec::with_capacity(rows) };
        for row in 0..rows {
            let values = key_columns.iter().map(|column| column.value(row)).collect::<Result<Vec<_>, _>>()?;
            let parts = values.iter().map(|value| Ok(KeyPart::from_value(value)?));
            let mut key = Vec::new();
            encoder.encode(&parts.collect::<Result<Vec<_>, Problem>>()?, &mut key)?;
            if let Some(failed) = features.iter().find(|column| column.values[row].status == Status::Invalid) {
                let message =
                    format!("`{}` of `{}` cannot be computed of a row that was pushed", failed.name, view.name);
                let help = "let its expression take care of such values, for example with TRY(…)".to_owned();
                return Err(Problem::new(Kind::Invalid, message, help));
            }
            encoded.keys.push(key);
            encoded.values.push(features.iter().map(|column| column.values[row].value.bytes().to_vec()).collect());
        }
        Ok(encoded)
    }

    /// Rows with these event times.
    fn rows(&self, events: &[Timestamp]) -> Vec<EncodedRow<'_>> {
        let rows = self.keys.iter().zip(&self.values).zip(events);
        rows.map(|((key, values), event)| EncodedRow {
            key,
            event: *event,
            created: None,
            values: values.iter().map(Vec::as_slice).collect(),
        })
        .collect()
    }
}
