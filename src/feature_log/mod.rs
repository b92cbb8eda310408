//! Logs of what was served of feature services: rows in Feast's columns, added to the destination of the service's
//! `logging_config`. Faces that live collect the rows of many requests before they write them.

mod columns;
mod destination;

use std::sync::Arc;

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use uuid::Uuid;

pub use self::destination::{Appended, OpenLog, Places};
use self::{columns::LogColumns, destination::Destination};
use crate::{
    model::{FeatureService, LoggingConfig, RegistryState, Timestamp},
    problem::{Kind, Problem},
    serving::Answer,
};

/// The log of a feature service.
pub struct FeatureLog {
    columns: LogColumns,
    destination: Destination,
    sample_rate: f64,
}

/// A request of which is logged what it was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoggedRequest {
    /// Tells it from others.
    pub id: Uuid,
    /// When it was answered.
    pub at: Timestamp,
}

impl FeatureLog {
    /// The log of a service as it is registered.
    ///
    /// # Errors
    /// When the service has no `logging_config`, its destination is one that feastr cannot write, or a view of it is gone.
    pub fn of(state: &RegistryState, service: &FeatureService, places: Places<'_>) -> Result<Self, Problem> {
        let Some(LoggingConfig { sample_rate, destination }) = &service.logging_config else {
            let message = format!("feature service `{}` has no `logging_config`", service.name);
            let help = "say in its definition where the log goes, and apply it".to_owned();
            return Err(Problem::new(Kind::Conflict, message, help));
        };
        Ok(Self {
            columns: LogColumns::of(state, service)?,
            destination: Destination::of(destination, &service.name, places)?,
            sample_rate: f64::from(*sample_rate),
        })
    }

    /// Whether a request is among those of which the log is a sample. It is decided by the request's id, which is random.
    pub fn takes(&self, request: LoggedRequest) -> bool {
        /// Bits of an id that are random.
        const RANDOM: u32 = 52;
        let (_, random) = request.id.as_u64_pair();
        let share = (random & ((1 << RANDOM) - 1)) as f64 / (1_u64 << RANDOM) as f64;
        share < self.sample_rate
    }

    /// The columns of the log.
    pub fn schema(&self) -> &SchemaRef {
        self.columns.schema()
    }

    /// What an answer to a request was, a row for each entity. `full_feature_names`: names in it begin with the view's.
    ///
    /// # Errors
    /// When a value is not of its declared type.
    pub fn rows(
        &self,
        request: LoggedRequest,
        answer: &Answer,
        full_feature_names: bool,
    ) -> Result<RecordBatch, Problem> {
        self.columns.rows(request, answer, full_feature_names)
    }

    /// Begins files of their own, which take rows and appear when they are complete.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn begin(&self) -> Result<OpenLog, Problem> {
        self.destination.begin(self.schema())
    }

    /// Whether rows of the other one are rows of this one.
    pub fn is_same(&self, other: &Self) -> bool {
        let of = |log: &Self| (log.sample_rate.to_bits(), Arc::clone(log.schema()));
        of(self) == of(other) && self.destination.is_same(&other.destination)
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use arrow::{
        array::{Array, AsArray, Int64Array},
        datatypes::{DataType as ArrowType, Int32Type, Int64Type, TimestampMillisecondType},
    };

    use super::*;
    use crate::{
        clients::buckets::Buckets,
        feast::values::value::Value,
        model::{
            DataSource, DataType, Field, LogDestination, Object, OnDemandSource, RequestSource, SourceKind,
            samples::{on_demand_view, projection, registered, service, view},
        },
        serving::{AnswerColumn, Answered, Status},
    };

    /// A service over a view of drivers, known under another name and by another key, and over one that is computed.
    fn logged(sample_rate: f32) -> FeatureLog {
        let mut stats = view("stats", &["rate"]);
        stats.features.push(Field::new("seen", DataType::UnixTimestamp));
        let request = SourceKind::Request(RequestSource { schema: vec![Field::new("bonus", DataType::Int32)] });
        let mut computed = on_demand_view("computed");
        computed.sources = vec![OnDemandSource::Request(DataSource::new("asked", request))];
        computed.features = vec![Field::new("best", DataType::Array(Box::new(DataType::UnixTimestamp)))];
        let mut service = service("activity", &[&stats]);
        service.features[0].name_alias = Some("of_driver".to_owned());
        service.features[0].join_key_map = [("driver_id".to_owned(), "who".to_owned())].into();
        let mut of_computed = projection(&stats);
        (of_computed.view, of_computed.features) = ("computed".to_owned(), computed.features.clone());
        service.features.push(of_computed);
        let path = "log".to_owned();
        let destination = LogDestination::File { path, s3_endpoint_override: String::new(), partition_by: Vec::new() };
        service.logging_config = Some(LoggingConfig { sample_rate, destination });
        let state = registered([Object::FeatureView(stats), Object::OnDemandFeatureView(computed)]);
        let places = Places { repo: Path::new("/repo"), buckets: &Buckets::default() };
        FeatureLog::of(&state, &service, places).unwrap()
    }

    fn request(id: u128) -> LoggedRequest {
        LoggedRequest { id: Uuid::from_u128(id), at: Timestamp::from_micros(-1) }
    }

    fn column(name: &str, values: &[(Value, Status, i64)]) -> AnswerColumn {
        let answered = |(value, status, seconds): &(Value, Status, i64)| Answered {
            value: value.into(),
            status: *status,
            event: Timestamp::from_micros(seconds * 1_000_000),
        };
        AnswerColumn { name: name.into(), values: values.iter().map(answered).collect() }
    }

    #[test]
    fn columns_are_those_of_feast() {
        let log = logged(1.0);
        let columns: Vec<(&str, String)> =
            log.schema().fields().iter().map(|field| (field.name().as_str(), field.data_type().to_string())).collect();
        let of = |name: &str| columns.iter().find(|(known, _)| *known == name).map(|(_, kind)| kind.as_str()).unwrap();
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            [
                "who",
                "of_driver__rate",
                "of_driver__rate__timestamp",
                "of_driver__rate__status",
                "of_driver__seen",
                "of_driver__seen__timestamp",
                "of_driver__seen__status",
                "bonus",
                "computed__best",
                "computed__best__timestamp",
                "computed__best__status",
                "__log_timestamp",
                "__log_date",
                "__request_id",
            ]
        );
        assert_eq!(
            [of("of_driver__seen"), of("of_driver__seen__timestamp")],
            ["Timestamp(ms)", "Timestamp(ms, \"UTC\")"]
        );
        assert_eq!([of("who"), of("bonus"), of("of_driver__rate__status")], ["Int64", "Int32", "Int32"]);
    }

    #[test]
    fn rows_are_what_was_answered() {
        use crate::feast::values::value::Kind as ValueKind;
        let value = |kind: ValueKind| Value { kind: Some(kind) };
        let (found, none) = (Status::Present, Status::NotFound);
        let answer = Answer {
            columns: vec![
                column("who", &[(value(ValueKind::Int64(7)), found, 0), (value(ValueKind::Int64(8)), found, 0)]),
                column("rate", &[(value(ValueKind::Float(0.5)), found, 9), (Value::NULL, none, 0)]),
                column("best", &[(Value::NULL, Status::Invalid, 0), (Value::NULL, Status::NullValue, 0)]),
            ],
            keys: 1,
            request: vec![("bonus".to_owned(), Arc::new(Int64Array::from(vec![Some(3), None])))],
            versions: Arc::default(),
            views: Arc::default(),
            read: Duration::ZERO,
        };
        let rows = logged(1.0).rows(request(5), &answer, false).unwrap();
        let integers =
            |name: &str| rows.column_by_name(name).unwrap().as_primitive::<Int32Type>().iter().collect::<Vec<_>>();
        assert_eq!(rows.column(0).as_primitive::<Int64Type>().values(), &[7, 8]);
        assert_eq!(integers("of_driver__rate__status"), [Some(1), Some(3)]);
        assert_eq!(integers("computed__best__status"), [Some(0), Some(2)]);
        assert_eq!(integers("bonus"), [Some(3), None]);
        // The view had another feature when the service was asked.
        assert_eq!(integers("of_driver__seen__status"), [None, None]);
        let events =
            rows.column_by_name("of_driver__rate__timestamp").unwrap().as_primitive::<TimestampMillisecondType>();
        assert_eq!(events.values(), &[9_000, 0]);
        let days = rows.column_by_name("__log_date").unwrap();
        assert_eq!((days.data_type(), days.len()), (&ArrowType::Date32, 2));
        assert_eq!(days.as_primitive::<arrow::datatypes::Date32Type>().value(0), -1, "the day before 1970 began");
        let qualified = logged(1.0).rows(request(5), &answer, true).unwrap();
        assert_eq!(qualified.column(1).null_count(), 2, "names in the answer are others then");
    }

    #[test]
    fn a_log_is_a_sample_of_requests() {
        let taken = |rate: f32| {
            let log = logged(rate);
            // Ids are random in their last bits.
            let ids = (0..1_000_u128).map(|id| id.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
            ids.filter(|id| log.takes(request(*id))).count()
        };
        assert_eq!([taken(0.0), taken(1.0)], [0, 1_000]);
        assert!((200..300).contains(&taken(0.25)), "{}", taken(0.25));
    }
}
