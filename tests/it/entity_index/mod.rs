//! The index of entities: its server, its commands, and what is found by it, over SQLite and a real PostgreSQL.

mod backfill;
mod example;
mod faults;
mod lookup;
mod refused;
mod stores;
mod told;

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::{
    serve::server::{FeatureServer, PATIENCE, Response},
    servers::{self, Kind, Server},
    support::Project,
};

const DEFINITIONS: &str = "\
entities:
  - {name: driver, join_keys: [driver_id], value_type: INT64}
  - {name: car, join_keys: [car_id], value_type: STRING}
data_sources:
  - {name: stats_source, type: file, file_format: csv, path: lake/stats, timestamp_field: at, created_timestamp_column: made}
  - {name: trips_source, type: file, file_format: csv, path: 'lake/trips/day=*/part-*.csv', timestamp_field: event_timestamp,
     timestamp_format: '%d.%m.%Y %H:%M', field_mapping: {drv: driver_id}}
feature_views:
  - {name: stats, entities: [driver], ttl: 0, source: stats_source, schema: [{name: score, dtype: Float64}]}
  - {name: trips, entities: [driver, car], ttl: 0, source: trips_source, schema: [{name: length, dtype: Float64}]}
";

const TOKEN: &str = "t0ken-of-events";

/// Where an index is.
#[derive(Debug, Clone)]
enum Place {
    Sqlite,
    Postgres(String),
}

impl Place {
    /// One of each kind, which nobody else uses.
    fn all() -> [Self; 2] {
        [Self::Sqlite, Self::Postgres(servers::shared(Kind::Postgres).create_database())]
    }
}

/// A repo whose bucket `lake` is a folder of it, with its index.
struct Lake {
    project: Project,
    place: Place,
}

impl Lake {
    /// Applied, without files.
    fn new(place: Place) -> Self {
        let url = match &place {
            Place::Sqlite => "sqlite:///index.db".to_owned(),
            Place::Postgres(database) => servers::shared(Kind::Postgres).url(database),
        };
        Self::at(place, &url)
    }

    fn at(place: Place, url: &str) -> Self {
        let settings = format!(
            "project: lake\nregistry: {{registry_type: sql, path: 'sqlite:///registry.db'}}\nonline_store: null\n\
             feastr: {{entity_index: {{path: '{url}', token: {TOKEN}, buckets: {{lake: lake}}}}}}\n"
        );
        let project = Project::new(&[("feature_store.yaml", &settings), ("lake.yaml", DEFINITIONS)]);
        project.feastr(&["apply", "--skip-source-validation"]).ok();
        Self { project, place }
    }

    /// A file of statistics: who, and at which hour of a day.
    fn write_stats(&self, name: &str, rows: &[(&str, u32)]) {
        let mut text = "driver_id,at,made,score\n".to_owned();
        for (driver, hour) in rows {
            text += &format!("{driver},2026-01-01T{hour:02}:00:00Z,2026-01-02T00:00:00Z,0.{hour}\n");
        }
        self.project.write(&format!("lake/stats/{name}"), text);
    }

    fn remove(&self, key: &str) {
        std::fs::remove_file(self.project.path("lake").join(key)).unwrap();
    }

    fn serve(&self, args: &[&str]) -> FeatureServer<'_> {
        let command =
            self.project.command(&[&["entity-index", "serve", "--port", "0", "--workers", "2"], args].concat());
        FeatureServer::launch(&self.project, command)
    }

    /// All values of a statement's answer as texts, null as `-`; moments in UTC.
    fn query(&self, statement: &str) -> Vec<Vec<String>> {
        match &self.place {
            Place::Sqlite => {
                let connection = rusqlite::Connection::open(self.project.path("index.db")).unwrap();
                let statement = statement.replace("entity_lookup.", "entity_lookup_");
                let mut statement = connection.prepare(&statement).unwrap();
                let columns = statement.column_count();
                let cell = |value: rusqlite::types::Value| match value {
                    rusqlite::types::Value::Text(text) => text.trim_end_matches(".000000").to_owned(),
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    _ => "-".to_owned(),
                };
                let rows = statement.query_map([], |row| (0..columns).map(|index| row.get(index).map(cell)).collect());
                rows.unwrap().map(Result::unwrap).collect()
            }
            Place::Postgres(database) => {
                let mut client = servers::shared(Kind::Postgres).postgres(database);
                client.batch_execute("SET timezone = 'UTC'; SET datestyle = 'ISO'").unwrap();
                let cell =
                    |text: Option<&str>| text.map_or("-".to_owned(), |text| text.trim_end_matches("+00").to_owned());
                let rows = client.simple_query(statement).unwrap();
                let row = |message| match message {
                    postgres::SimpleQueryMessage::Row(row) => {
                        Some((0..row.len()).map(|index| cell(row.get(index))).collect())
                    }
                    _ => None,
                };
                rows.into_iter().filter_map(row).collect()
            }
        }
    }

    /// Who is in the index of drivers, and when, by path.
    fn drivers(&self) -> Vec<String> {
        let statement =
            "SELECT id, event_timestamp FROM entity_lookup.entity_driver ORDER BY path, event_timestamp, id";
        self.query(statement).iter().map(|row| format!("{} {}", row[0], &row[1][11..13])).collect()
    }

    /// The statuses and messages of jobs, the first first.
    fn jobs(&self) -> Vec<(String, String)> {
        let jobs = self.project.feastr(&["entity-index", "jobs", "--json"]).ok().json();
        let text = |job: &Json, key: &str| job[key].as_str().unwrap_or_default().to_owned();
        jobs.as_array().unwrap().iter().rev().map(|job| (text(job, "status"), text(job, "status_msg"))).collect()
    }

    /// Waits until no job is open, and gives them.
    fn settled(&self) -> Vec<(String, String)> {
        let began = Instant::now();
        loop {
            let jobs = self.jobs();
            if jobs.iter().all(|(status, _)| status == "done" || status == "dead") {
                return jobs;
            }
            assert!(began.elapsed() < PATIENCE * 2, "{jobs:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// An event as AWS tells of it.
fn event(kind: &str, key: &str, sequencer: &str) -> Json {
    json!({
        "eventVersion": "2.2", "eventSource": "aws:s3", "eventTime": "2026-01-01T00:00:00.000Z", "eventName": kind,
        "s3": { "bucket": { "name": "lake" }, "object": { "key": key, "size": 1, "sequencer": sequencer } }
    })
}

fn created(key: &str, sequencer: &str) -> Json {
    event("ObjectCreated:Put", key, sequencer)
}

fn removed(key: &str, sequencer: &str) -> Json {
    event("ObjectRemoved:Delete", key, sequencer)
}

/// Tells a server of events.
fn tell(server: &FeatureServer<'_>, records: &[Json]) -> Response {
    tell_with(server, &format!("authorization: Bearer {TOKEN}\r\n"), &json!({ "Records": records }).to_string())
}

fn tell_with(server: &FeatureServer<'_>, headers: &str, body: &str) -> Response {
    server.connect().try_ask_with(headers, "POST", "/events", body).expect("an answer")
}

/// How many jobs are new, known, and how many events of no view.
fn counts(response: Response) -> [u64; 3] {
    let json = response.ok().json();
    ["new", "known", "ignored"].map(|key| json[key].as_u64().unwrap())
}

/// A PostgreSQL of one test alone, with a database.
fn own_postgres() -> (Server, String) {
    let server = Server::start(Kind::Postgres);
    let database = server.create_database();
    (server, database)
}
