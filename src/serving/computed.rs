//! On-demand features of entities: computed from what the online store and the request have.

use std::sync::Arc;

use arrow::{array::ArrayRef, datatypes::DataType as ArrowType};

use super::{
    AnswerColumn, Answered, Asked, Status,
    answer::{Judge, NO_EVENT},
    keys::Keys,
};
use crate::{
    feast::values::{
        WireValue,
        decode::decode,
        encode::{ColumnEncoder, carrier},
        value::Value,
    },
    model::DataType,
    problem::{Kind, Problem},
    retrieval::{InputFrom, Retrieval, SelectedOnDemand},
    transform::{Engine, Evaluator},
};

/// What is computed for an answer, prepared once.
pub(super) struct ComputedFeatures {
    views: Vec<Evaluator>,
}

impl ComputedFeatures {
    /// Prepares the on-demand views of a retrieval.
    ///
    /// # Errors
    /// When an expression cannot be computed of its inputs.
    pub(super) fn new(retrieval: &Retrieval, engine: &Arc<Engine>) -> Result<Self, Problem> {
        let evaluator = |selected: &SelectedOnDemand| {
            let kind = |name: &str| {
                let input = selected.inputs.iter().find(|input| input.column == name);
                input.and_then(|input| carrier(input_type(retrieval, &input.from)?)).unwrap_or(ArrowType::Utf8)
            };
            Evaluator::new(engine, &selected.view, kind)
        };
        Ok(Self { views: retrieval.on_demand.iter().map(evaluator).collect::<Result<_, _>>()? })
    }

    /// The computed columns of an answer, whose features have been read: `answered` has those of each view. Who is strict
    /// names the entities.
    ///
    /// # Errors
    /// When the engine fails, or, where one is strict, a value cannot be computed.
    pub(super) fn of(
        &self,
        retrieval: &Retrieval,
        asked: &Keys<'_>,
        answered: &[Vec<AnswerColumn>],
        strict: Option<Asked<'_>>,
        judge: Judge,
    ) -> Result<Vec<AnswerColumn>, Problem> {
        let mut columns = Vec::new();
        for (selected, evaluator) in retrieval.on_demand.iter().zip(&self.views) {
            let inputs: Vec<(&str, ArrayRef)> = selected
                .inputs
                .iter()
                .map(|input| Ok((input.column.as_str(), values(retrieval, &input.from, asked, answered)?)))
                .collect::<Result<_, Problem>>()?;
            let column = |name: &str| inputs.iter().find(|(known, _)| *known == name).map(|(_, array)| array);
            let computed = evaluator.compute(asked.rows(), column)?;
            if let (Some(strict), Some(cell)) = (strict, computed.failed.first()) {
                let reason = evaluator.reason(cell, column)?;
                let name = &selected.outputs[cell.output];
                let message = format!("`{name}` of {} cannot be computed: {reason}", strict.row(cell.row));
                return Err(Problem::new(Kind::Invalid, message, None));
            }
            for (output, (array, name)) in computed.columns.iter().zip(&selected.outputs).enumerate() {
                let mut values = answers(&selected.view.features[output].dtype, array, judge)?;
                for cell in computed.failed.iter().filter(|cell| cell.output == output) {
                    values[cell.row].status = judge.seen(Status::Invalid);
                }
                columns.push(AnswerColumn { name: Arc::clone(name), values });
            }
        }
        Ok(columns)
    }
}

fn input_type<'a>(retrieval: &'a Retrieval, from: &'a InputFrom) -> Option<&'a DataType> {
    match from {
        InputFrom::Feature(view, feature) => Some(&retrieval.views.get(*view)?.features.get(*feature)?.field.dtype),
        InputFrom::Request(field) => Some(&field.dtype),
    }
}

/// The values of an input. What is too old to count is no value, as in training.
fn values(
    retrieval: &Retrieval,
    from: &InputFrom,
    asked: &Keys<'_>,
    answered: &[Vec<AnswerColumn>],
) -> Result<ArrayRef, Problem> {
    match from {
        InputFrom::Feature(view, feature) => {
            let field = &retrieval.views[*view].features[*feature].field;
            let column = &answered[*view][*feature];
            let counts = |(entity, answered): (usize, &Answered)| match answered.status {
                Status::Present => column.value(entity).map(Some),
                _ => Ok(None),
            };
            let values: Vec<Option<Value>> =
                column.values.iter().enumerate().map(counts).collect::<Result<_, Problem>>()?;
            let values: Vec<Option<&Value>> = values.iter().map(Option::as_ref).collect();
            decode(&field.dtype, &values).map_err(|error| {
                let name = format!("{}:{}", retrieval.views[*view].view.name, field.name);
                let message = format!("the stored values of {name} are not as it is declared: {error}");
                Problem::new(Kind::Conflict, message, "materialize the view again".to_owned())
            })
        }
        InputFrom::Request(field) => asked.request(&field.name).map(Arc::clone).ok_or_else(|| {
            Problem::new(Kind::Internal, format!("the request field `{}` was not read", field.name), None)
        }),
    }
}

/// A computed column as it is answered: such values have no event, so that 1970 stands for it as in Feast.
fn answers(dtype: &DataType, array: &ArrayRef, judge: Judge) -> Result<Vec<Answered>, Problem> {
    let internal = |error: &dyn std::error::Error| {
        Problem::new(Kind::Internal, format!("cannot answer computed values: {error}"), None)
    };
    let encoder = ColumnEncoder::new(dtype, array.data_type()).map_err(|error| internal(&error))?;
    let bound = encoder.bind(array).map_err(|error| internal(&error))?;
    let answer = |row: usize| {
        let mut bytes = Vec::new();
        bound.encode(row, &mut bytes).map_err(|error| internal(&error))?;
        let value = WireValue::from(bytes);
        let is_null = value.is_null().map_err(|error| internal(&error))?;
        let status = if is_null { judge.seen(Status::NullValue) } else { Status::Present };
        Ok(Answered { value, status, event: NO_EVENT })
    };
    (0..array.len()).map(answer).collect()
}
