//! Features of entities from a feature server. It is asked for what was asked for, whole: it resolves services, reads its
//! store, computes on-demand features with the definitions it has (Python functions, too), and says how each value stands.
//! Here its values get the types that are registered, in the order that was asked for.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arrow::array::{Array as _, ArrayRef};
use serde_json::Value as Json;

use super::{Answer, AnswerColumn, Answered, AnsweredView, Asked, Status, keys::Keys, registered_keys::RegisteredKeys};
use crate::{
    diagnostics::counted,
    feast::values::{encode::ColumnEncoder, value::Value},
    model::{DUMMY_JOIN_KEY, DataType, Field},
    online::{self, FeatureServer, Question, ServedColumn},
    problem::{Kind, Problem},
    retrieval::{FeatureRequest, Retrieval, Shown},
};

/// Features that a server is asked for.
pub struct ServedFeatures {
    retrieval: Arc<Retrieval>,
    /// A service and single features are two questions.
    asked: Vec<online::Asked>,
    full_feature_names: bool,
    server: Arc<dyn FeatureServer>,
    answered: Arc<[AnsweredView]>,
    /// Whether a value that cannot be computed fails all of the answer.
    strict: bool,
}

impl ServedFeatures {
    /// Prepares a request, which means this here. Asks no server.
    pub fn new(request: &FeatureRequest, retrieval: Arc<Retrieval>, server: Arc<dyn FeatureServer>) -> Self {
        let selection = &request.selection;
        let references = selection.references.iter().map(|one| format!("{}:{}", one.view, one.feature));
        let features = (!selection.references.is_empty()).then(|| online::Asked::Features(references.collect()));
        let asked = selection.service.clone().map(online::Asked::Service).into_iter().chain(features).collect();
        let answered = AnsweredView::all_of(&retrieval);
        Self { retrieval, asked, full_feature_names: request.full_feature_names, server, answered, strict: false }
    }

    /// The same, whose answer fails where a value could not be computed, if that is wanted; otherwise such a value is null.
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// The features of each entity, as the server knows them.
    ///
    /// # Errors
    /// When a join key is missing, a value is not of its type, the server refuses or does not answer before the deadline,
    /// or its answer is not of the types that are registered here.
    pub async fn of<'a>(&self, asked: impl Into<Asked<'a>>, deadline: Instant) -> Result<Answer, Problem> {
        let entities = asked.into();
        let keys = Keys::read(&self.retrieval, entities, &RegisteredKeys::default())?;
        let sent = self.sent(&keys)?;
        let (mut served, began) = (Vec::new(), Instant::now());
        for asked in &self.asked {
            let (asked, entities) = (asked.clone(), sent.clone());
            let question = Question { asked, full_feature_names: self.full_feature_names, entities };
            served.extend(self.server.ask(&question, deadline).await?);
        }
        let read = began.elapsed();
        Ok(Answer { read, ..self.answer(&keys, entities, &served)? })
    }

    /// Join keys and fields of the request, as the server takes them.
    fn sent(&self, keys: &Keys<'_>) -> Result<Vec<(String, Vec<Json>)>, Problem> {
        let mut sent: Vec<(String, Vec<Json>)> = Vec::new();
        for column in keys.answers() {
            let keys = (0..column.values.len()).map(|entity| Ok(column.value(entity)?.to_json()));
            sent.push((column.name.to_string(), keys.collect::<Result<_, Problem>>()?));
        }
        for (field, _) in self.retrieval.request_fields() {
            let Some(values) = keys.request(&field.name) else { continue };
            if !sent.iter().any(|(name, _)| *name == field.name) {
                sent.push((field.name.clone(), request_values(field, values)?));
            }
        }
        // Views without entities belong to all of them; without any, the server would not know how many there are.
        if sent.is_empty() {
            sent.push((DUMMY_JOIN_KEY.to_owned(), vec!["".into(); keys.rows()]));
        }
        Ok(sent)
    }

    fn answer(&self, keys: &Keys<'_>, entities: Asked<'_>, served: &[ServedColumn]) -> Result<Answer, Problem> {
        let mut columns = keys.answers().to_vec();
        let key_count = columns.len();
        let fetched = self.retrieval.fetched().filter(|feature| feature.shown == Shown::Always);
        for feature in fetched {
            columns.push(self.column(&feature.output, &feature.field.dtype, keys.rows(), served)?);
        }
        for selected in &self.retrieval.on_demand {
            for (field, output) in selected.view.features.iter().zip(&selected.outputs) {
                let column = self.column(output, &field.dtype, keys.rows(), served)?;
                let failed = column.values.iter().position(|value| value.status == Status::Invalid);
                if let (true, Some(row)) = (self.strict, failed) {
                    let message =
                        format!("{} could not compute `{output}` of {}", self.server.name(), entities.row(row));
                    return Err(Problem::new(Kind::Invalid, message, None));
                }
                columns.push(column);
            }
        }
        Ok(Answer {
            columns,
            keys: key_count,
            request: keys.requests(),
            versions: Arc::default(),
            views: Arc::clone(&self.answered),
            read: Duration::ZERO,
        })
    }

    /// A column of the server's answer, with values of a declared type.
    fn column(
        &self,
        name: &Arc<str>,
        declared: &DataType,
        rows: usize,
        served: &[ServedColumn],
    ) -> Result<AnswerColumn, Problem> {
        let server = self.server.name();
        // What is registered there has changed, or is another registry.
        let other = |message: String| {
            let help =
                "the server has definitions of its own: apply those to its registry, or wait until it has read them";
            Problem::new(Kind::Conflict, message, help.to_owned())
        };
        let Some(column) = served.iter().find(|column| *column.name == **name) else {
            return Err(other(format!("{server} was asked for `{name}`, which is not in its answer")));
        };
        if column.values.len() != rows {
            let [asked, answered] = [rows, column.values.len()].map(|count| counted(count as u64, "value"));
            return Err(other(format!("{server} was asked for {asked} of `{name}` and answers {answered}")));
        }
        let answered = |((json, status), event): ((&Json, &String), _)| {
            let value = Value::of_json(declared, json).map_err(|unfit| {
                other(format!("{server} answers a value of `{name}` that is not as registered: {unfit}"))
            })?;
            let status = Status::of_word(status)
                .ok_or_else(|| other(format!("{server} answers a status of `{name}` that does not exist: {status}")))?;
            Ok(Answered { value: (&value).into(), status, event })
        };
        let cells = column.values.iter().zip(&column.statuses).zip(column.events.iter().copied());
        let values = cells.map(answered).collect::<Result<_, Problem>>()?;
        Ok(AnswerColumn { name: Arc::clone(name), values })
    }
}

/// The values of a field of the request.
fn request_values(field: &Field, values: &ArrayRef) -> Result<Vec<Json>, Problem> {
    let invalid = |error: &dyn std::error::Error| {
        let message = format!("the request field `{}` cannot be sent: {error}", field.name);
        Problem::new(Kind::Invalid, message, None)
    };
    let encoder = ColumnEncoder::new(&field.dtype, values.data_type()).map_err(|error| invalid(&error))?;
    let bound = encoder.bind(values).map_err(|error| invalid(&error))?;
    let mut bytes = Vec::new();
    let value = |row: usize| {
        bytes.clear();
        bound.encode(row, &mut bytes).map_err(|error| invalid(&error))?;
        Ok(Value::read(&bytes).map_err(|error| invalid(&error))?.to_json())
    };
    (0..values.len()).map(value).collect()
}
