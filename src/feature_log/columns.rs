//! The columns of a log, in Feast's order: for each view of a service its join keys or the fields of its requests, and three
//! for each feature; then when it was, and which request.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, Date32Array, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
        TimestampMillisecondArray, new_null_array,
    },
    compute::cast,
    datatypes::{DataType as ArrowType, Field as ArrowField, FieldRef, Schema, SchemaRef, TimeUnit},
};

use super::LoggedRequest;
use crate::{
    feast::values::{
        decode::decode,
        encode::{carrier, micros_in_utc},
        value::Value,
    },
    model::{
        DAY, DUMMY_JOIN_KEY, DataType, FeatureService, Field, NamedView, Object, OnDemandFeatureView, OnDemandSource,
        Projection, RegistryState, SourceKind, View,
    },
    problem::{Kind, Problem},
    serving::{Answer, AnswerColumn, Status},
};

/// The columns of a log, and where their values are in an answer.
pub(super) struct LogColumns {
    schema: SchemaRef,
    columns: Vec<LogColumn>,
}

/// What a column of a log has.
enum LogColumn {
    /// A join key of the entities.
    Key(DataType),
    /// A field of the requests.
    Request,
    /// A feature of a view, by the name that services know the view under.
    Feature {
        view: String,
        feature: String,
        part: Part,
    },
    LogTime,
    LogDate,
    RequestId,
}

/// What is logged of a feature.
enum Part {
    Value(DataType),
    EventTime,
    Status,
}

impl LogColumns {
    /// The columns for a service as it is registered.
    ///
    /// # Errors
    /// When one of its views is gone.
    pub(super) fn of(state: &RegistryState, service: &FeatureService) -> Result<Self, Problem> {
        let mut columns: Vec<(ArrowField, LogColumn)> = Vec::new();
        for projection in &service.features {
            for (name, kind, column) in inputs(state, service, projection)?.into_iter().chain(features(projection)) {
                // A key that several views share is there once.
                if !columns.iter().any(|(field, _)| *field.name() == name) {
                    columns.push((ArrowField::new(name, kind, true), column));
                }
            }
        }
        let of_log = [
            ("__log_timestamp", micros_in_utc(), LogColumn::LogTime),
            ("__log_date", ArrowType::Date32, LogColumn::LogDate),
            ("__request_id", ArrowType::Utf8, LogColumn::RequestId),
        ];
        columns.extend(of_log.map(|(name, kind, column)| (ArrowField::new(name, kind, true), column)));
        let (fields, columns): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        Ok(Self { schema: Arc::new(Schema::new(fields)), columns })
    }

    pub(super) const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows of an answer.
    ///
    /// # Errors
    /// When a value is not of its declared type.
    pub(super) fn rows(
        &self,
        request: LoggedRequest,
        answer: &Answer,
        full_feature_names: bool,
    ) -> Result<RecordBatch, Problem> {
        let rows = answer.columns.first().map_or(0, |column| column.values.len());
        let columns = self.schema.fields().iter().zip(&self.columns).map(|(field, column)| {
            column.values(field, (request, answer, rows), full_feature_names).map_err(|error| {
                let message = format!("cannot log `{}`: {error}", field.name());
                Problem::new(Kind::Internal, message, None)
            })
        });
        RecordBatch::try_new(Arc::clone(&self.schema), columns.collect::<Result<_, _>>()?)
            .map_err(|error| Problem::new(Kind::Internal, format!("cannot log an answer: {error}"), None))
    }
}

impl LogColumn {
    /// The values of a column, one for each entity of an answer; null where the answer has none.
    fn values(
        &self,
        field: &FieldRef,
        (request, answer, rows): (LoggedRequest, &Answer, usize),
        full_feature_names: bool,
    ) -> Result<ArrayRef, Box<dyn std::error::Error>> {
        let found = |name: &str, columns: &[AnswerColumn]| columns.iter().position(|column| *column.name == *name);
        let nothing = || new_null_array(field.data_type(), rows);
        Ok(match self {
            Self::Key(dtype) => match found(field.name(), &answer.columns[..answer.keys]) {
                Some(key) => decoded(dtype, &answer.columns[key], field)?,
                None => nothing(),
            },
            Self::Request => match answer.request.iter().find(|(name, _)| name == field.name()) {
                Some((_, values)) => cast(values, field.data_type())?,
                None => nothing(),
            },
            Self::Feature { view, feature, part } => {
                let name = if full_feature_names { format!("{view}__{feature}") } else { feature.clone() };
                let Some(column) = found(&name, &answer.columns[answer.keys..]) else { return Ok(nothing()) };
                part.values(&answer.columns[answer.keys + column], field)?
            }
            Self::LogTime => {
                Arc::new(TimestampMicrosecondArray::from_value(request.at.micros(), rows).with_timezone("UTC"))
            }
            Self::LogDate => {
                let day = i32::try_from(request.at.micros().div_euclid(DAY))?;
                Arc::new(Date32Array::from_value(day, rows))
            }
            Self::RequestId => {
                Arc::new(StringArray::from_iter_values(std::iter::repeat_n(request.id.to_string(), rows)))
            }
        })
    }
}

impl Part {
    fn values(&self, column: &AnswerColumn, field: &FieldRef) -> Result<ArrayRef, Box<dyn std::error::Error>> {
        Ok(match self {
            Self::Value(dtype) => decoded(dtype, column, field)?,
            Self::EventTime => {
                let seconds = column.values.iter().map(|answered| answered.event.seconds());
                let millis = seconds.map(|seconds| seconds.saturating_mul(1_000));
                Arc::new(TimestampMillisecondArray::from_iter_values(millis).with_timezone("UTC"))
            }
            Self::Status => {
                let statuses = column.values.iter().map(|answered| answered.status.number());
                Arc::new(Int32Array::from_iter_values(statuses))
            }
        })
    }
}

fn decoded(dtype: &DataType, column: &AnswerColumn, field: &FieldRef) -> Result<ArrayRef, Box<dyn std::error::Error>> {
    let values = (0..column.values.len()).map(|row| column.value(row)).collect::<Result<Vec<_>, _>>()?;
    let values: Vec<Option<&Value>> = values.iter().map(Some).collect();
    Ok(cast(&decode(dtype, &values)?, field.data_type())?)
}

type Described = (String, ArrowType, LogColumn);

/// What a view is asked with: its join keys, or the fields of the requests that it is computed with.
fn inputs(state: &RegistryState, service: &FeatureService, projection: &Projection) -> Result<Vec<Described>, Problem> {
    let view = match state.view(&projection.view) {
        NamedView::Known(Object::OnDemandFeatureView(view)) => return Ok(requests(view)),
        NamedView::Known(object) => View::of(object),
        NamedView::Foreign(_) | NamedView::None => None,
    };
    let view = view.ok_or_else(|| {
        let message =
            format!("feature service `{}` selects from view `{}`, which is gone", service.name, projection.view);
        Problem::new(Kind::Conflict, message, "apply the service again".to_owned())
    })?;
    let keys = view.entity_columns.iter().filter(|key| key.name != DUMMY_JOIN_KEY);
    let key = |key: &Field| {
        let name = projection.join_key_map.get(&key.name).unwrap_or(&key.name);
        (name.clone(), logged_type(&key.dtype), LogColumn::Key(key.dtype.clone()))
    };
    Ok(keys.map(key).collect())
}

fn requests(view: &OnDemandFeatureView) -> Vec<Described> {
    let fields = view.sources.iter().filter_map(|source| match source {
        OnDemandSource::Request(source) => match &source.kind {
            SourceKind::Request(request) => Some(&request.schema),
            _ => None,
        },
        OnDemandSource::View(_) => None,
    });
    fields.flatten().map(|field| (field.name.clone(), logged_type(&field.dtype), LogColumn::Request)).collect()
}

/// The three columns of each feature that is selected.
fn features(projection: &Projection) -> impl Iterator<Item = Described> {
    let view = projection.name_to_use();
    projection.features.iter().flat_map(move |field| {
        let name = format!("{view}__{}", field.name);
        let column = |part| LogColumn::Feature { view: view.to_owned(), feature: field.name.clone(), part };
        [
            (name.clone(), logged_type(&field.dtype), column(Part::Value(field.dtype.clone()))),
            (
                format!("{name}__timestamp"),
                ArrowType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
                column(Part::EventTime),
            ),
            (format!("{name}__status"), ArrowType::Int32, column(Part::Status)),
        ]
    })
}

/// The type of logged values: times have no zone, and are whole seconds, which parquet counts in milliseconds. Of the types
/// that Feast cannot log they are as training data has them.
fn logged_type(dtype: &DataType) -> ArrowType {
    match dtype {
        DataType::UnixTimestamp => ArrowType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Array(element) => ArrowType::List(Arc::new(ArrowField::new_list_field(logged_type(element), true))),
        dtype => carrier(dtype).unwrap_or(ArrowType::Utf8),
    }
}

impl Status {
    /// Its number in Feast.
    const fn number(self) -> i32 {
        match self {
            Self::Invalid => 0,
            Self::Present => 1,
            Self::NullValue => 2,
            Self::NotFound => 3,
            Self::OutsideMaxAge => 4,
        }
    }
}
