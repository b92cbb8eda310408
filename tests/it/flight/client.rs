//! A client that sends what it is told to, whether it makes sense or not.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    compute::concat_batches,
    datatypes::{Field, Schema},
};
use arrow_flight::{
    Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, Ticket, decode::FlightRecordBatchStream,
    encode::FlightDataEncoderBuilder, error::FlightError, flight_service_client::FlightServiceClient,
};
use feastr::model::Timestamp;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;
use tonic::{
    Code, Request, Status, Streaming,
    transport::{Channel, Endpoint},
};

use crate::servers::grpc::GrpcServer;

/// A client with a connection.
pub struct Client {
    runtime: Runtime,
    flight: FlightServiceClient<Channel>,
    token: Option<String>,
}

impl Client {
    /// A client of a server.
    pub fn of(server: &GrpcServer<'_>) -> Self {
        Self::at(Endpoint::from_shared(format!("http://{}", server.address)).unwrap())
    }

    /// A client of a place, which may be encrypted.
    pub fn at(endpoint: Endpoint) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let channel = runtime.block_on(endpoint.connect()).unwrap();
        let flight = FlightServiceClient::new(channel).max_decoding_message_size(usize::MAX);
        Self { runtime, flight, token: None }
    }

    /// The same client, which says who it is.
    pub fn with_token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        request
    }

    /// What DoExchange gives: the columns, and the rows.
    pub fn exchange(&self, command: &Json, rows: Option<&RecordBatch>) -> Result<RecordBatch, Status> {
        self.exchange_bytes(command.to_string().as_bytes(), rows)
    }

    /// The same of a descriptor that may be no command.
    pub fn exchange_bytes(&self, command: &[u8], rows: Option<&RecordBatch>) -> Result<RecordBatch, Status> {
        let mut flight = self.flight.clone();
        let messages = messages(command, rows);
        self.runtime.block_on(async {
            let answer = flight.do_exchange(self.request(stream::iter(messages))).await?;
            collected(answer.into_inner()).await
        })
    }

    /// An answer of which nothing is taken yet.
    pub fn begin(&self, command: &Json, rows: Option<&RecordBatch>) -> Streaming<FlightData> {
        let mut flight = self.flight.clone();
        let messages = messages(command.to_string().as_bytes(), rows);
        self.runtime.block_on(flight.do_exchange(self.request(stream::iter(messages)))).unwrap().into_inner()
    }

    /// Takes the next message of an answer.
    pub fn next(&self, answer: &mut Streaming<FlightData>) -> Result<Option<FlightData>, Status> {
        self.runtime.block_on(answer.message())
    }

    /// DoPut.
    pub fn put(&self, command: &Json, rows: Option<&RecordBatch>) -> Result<(), Status> {
        let mut flight = self.flight.clone();
        let messages = messages(command.to_string().as_bytes(), rows);
        self.runtime.block_on(async {
            let answer = flight.do_put(self.request(stream::iter(messages))).await?.into_inner();
            answer.try_collect::<Vec<_>>().await.map(drop)
        })
    }

    /// GetFlightInfo.
    pub fn info(&self, command: &Json) -> Result<FlightInfo, Status> {
        let descriptor = FlightDescriptor::new_cmd(command.to_string());
        let mut flight = self.flight.clone();
        Ok(self.runtime.block_on(flight.get_flight_info(self.request(descriptor)))?.into_inner())
    }

    /// DoGet.
    pub fn get(&self, ticket: &[u8]) -> Result<RecordBatch, Status> {
        let mut flight = self.flight.clone();
        self.runtime.block_on(async {
            let answer = flight.do_get(self.request(Ticket::new(ticket.to_vec()))).await?;
            collected(answer.into_inner()).await
        })
    }

    /// ListFlights.
    pub fn flights(&self) -> Vec<FlightInfo> {
        let mut flight = self.flight.clone();
        let listed =
            async { flight.list_flights(self.request(Criteria::default())).await?.into_inner().try_collect().await };
        self.runtime.block_on(listed).unwrap()
    }

    /// ListActions.
    pub fn actions(&self) -> Vec<String> {
        let mut flight = self.flight.clone();
        let listed = async { flight.list_actions(Empty {}).await?.into_inner().try_collect::<Vec<_>>().await };
        self.runtime.block_on(listed).unwrap().into_iter().map(|action| action.r#type).collect()
    }

    /// What the server says of its health, by its number.
    pub fn health(&self, endpoint: Endpoint) -> Result<i32, Status> {
        use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
        self.runtime.block_on(async {
            let channel = endpoint.connect().await.map_err(|error| Status::unavailable(error.to_string()))?;
            let asked = HealthClient::new(channel).check(HealthCheckRequest { service: String::new() }).await?;
            Ok(asked.into_inner().status)
        })
    }
}

/// A descriptor and rows.
fn messages(command: &[u8], rows: Option<&RecordBatch>) -> Vec<FlightData> {
    let descriptor = FlightDescriptor::new_cmd(command.to_vec());
    let Some(rows) = rows else {
        return vec![FlightData::new().with_descriptor(descriptor)];
    };
    let encoded = FlightDataEncoderBuilder::new()
        .with_schema(rows.schema())
        .with_flight_descriptor(Some(descriptor))
        .build(stream::iter([Ok(rows.clone())]));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(encoded.try_collect()).unwrap()
}

async fn collected(answer: Streaming<FlightData>) -> Result<RecordBatch, Status> {
    let mut rows = FlightRecordBatchStream::new_from_flight_data(answer.map_err(FlightError::from));
    let mut batches = Vec::new();
    while let Some(batch) = rows.next().await.transpose()? {
        batches.push(batch);
    }
    let schema = rows.schema().ok_or_else(|| Status::new(Code::DataLoss, "no columns came"))?;
    Ok(concat_batches(schema, &batches).unwrap())
}

/// Entity rows: drivers at times.
pub fn drivers(rows: &[(i64, &str)]) -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|(id, _)| *id)));
    let times = rows.iter().map(|(_, time)| Timestamp::absolute(time).unwrap().micros());
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"));
    RecordBatch::try_from_iter([("driver_id", ids), ("event_timestamp", times)]).unwrap()
}

/// The table that stands for none, as Feast's client makes it.
pub fn marker() -> RecordBatch {
    let schema = Schema::new(vec![Field::new("key", arrow::datatypes::DataType::Utf8, true)]);
    let letters: ArrayRef =
        Arc::new(StringArray::from_iter_values("mock_key".chars().map(|letter| letter.to_string())));
    RecordBatch::try_new(Arc::new(schema), vec![letters]).unwrap()
}

/// A command for features.
pub fn historical(features: &[&str], more: Json) -> Json {
    let mut command = json!({
        "command_id": "c", "api": "get_historical_features", "feature_view_names": ["driver_hourly_stats"],
        "feature_refs": features, "project": "feastlocal", "full_feature_names": false, "name_aliases": [null],
    });
    with(&mut command, more);
    command
}

/// A command for rows of the source.
pub fn pull(api: &str, more: Json) -> Json {
    let mut command = json!({
        "command_id": "c", "api": api, "data_source_name": "driver_hourly_stats_source",
        "join_key_columns": ["driver_id"], "feature_name_columns": ["conv_rate", "avg_daily_trips"],
        "timestamp_field": "event_timestamp", "created_timestamp_column": "created",
        "start_date": "2021-04-11T22:00:00+00:00", "end_date": "2021-04-12T00:00:00+00:00",
    });
    with(&mut command, more);
    command
}

fn with(command: &mut Json, more: Json) {
    let more = more.as_object().unwrap().clone();
    command.as_object_mut().unwrap().extend(more);
}

/// Names and types of columns, as pyarrow writes them.
pub fn columns(rows: &RecordBatch) -> Vec<(String, String)> {
    let schema = rows.schema();
    let column = |field: &Arc<Field>| (field.name().clone(), feastr::feast::values::type_text(field.data_type()));
    schema.fields().iter().map(column).collect()
}

/// Rows as JSON, those that are null with null.
pub fn json_rows(rows: &RecordBatch) -> Vec<BTreeMap<String, Json>> {
    let mut text = Vec::new();
    let mut writer = arrow::json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow::json::writer::JsonArray>(&mut text);
    writer.write(rows).unwrap();
    writer.finish().unwrap();
    serde_json::from_slice(&text).unwrap()
}
