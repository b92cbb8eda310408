//! Commands: what a client asks of an offline server, as the descriptor of a call has it.

use serde_json::{Map, Value as Json, json};

use super::{
    command_error::CommandError,
    data_source::{data_source_from_json, data_source_to_json},
    parameters::Parameters,
};
use crate::model::{DataSource, Timestamp};

/// A command.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Tells it from others; clients make it up.
    pub id: String,
    /// What is asked for.
    pub call: Call,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// Rows, which come with DoExchange, or with DoGet after DoPut.
    Read(Read),
    /// Something that is done with DoPut.
    Put(Put),
}

/// Rows that are asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Read {
    /// `get_historical_features`: features of the entity rows that come along, of those of a query, or of a range.
    Historical(Historical),
    /// `pull_latest_from_table_or_query`: the newest row of each entity.
    Newest(Pull),
    /// `pull_all_from_table_or_query`: all rows.
    Rows(Pull),
    /// `get_table_column_names_and_types_from_data_source`: the columns of a source, in `name` and `type`.
    Columns(Box<DataSource>),
}

/// What is done with DoPut.
#[derive(Debug, Clone, PartialEq)]
pub enum Put {
    /// `offline_write_batch`: the rows that come along are added to the source of a view.
    WriteBatch {
        /// The view.
        view: String,
        /// The name that a service gives it.
        alias: Option<String>,
    },
    /// `write_logged_features`: the rows that come along are added to the log of a feature service.
    WriteLog {
        /// The service.
        service: String,
    },
    /// `persist`: rows are written to where a source has them.
    Persist(Persist),
    /// `validate_data_source`: whether a source can be read.
    Validate(Box<DataSource>),
}

/// Features at the times of entity rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Historical {
    /// The views, each with the name that a service gives it, if one does.
    pub views: Vec<(String, Option<String>)>,
    /// The features as `view:feature`, on-demand ones among them; views that have another name are called by it.
    pub features: Vec<String>,
    /// The project of the views.
    pub project: String,
    /// Whether names in the answer begin with the view's.
    pub full_feature_names: bool,
    /// Entity rows as a question in SQL.
    pub sql: Option<String>,
    /// The first moment of a range.
    pub start: Option<Timestamp>,
    /// The last one.
    pub end: Option<Timestamp>,
}

/// Rows of a source, with names as the source has them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pull {
    /// The source, which is registered under this name.
    pub source: String,
    /// The columns that rows of an entity have in common.
    pub join_keys: Vec<String>,
    /// The columns with values.
    pub features: Vec<String>,
    /// The column with times of events.
    pub event_column: String,
    /// The column with times of creation.
    pub created_column: Option<String>,
    /// The first moment; `None` is the beginning.
    pub start: Option<Timestamp>,
    /// The last moment; `None` is the end.
    pub end: Option<Timestamp>,
}

/// Rows that are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Persist {
    /// The source that says where; it is registered under this name.
    pub source: String,
    /// Whether what is there may be replaced.
    pub allow_overwrite: bool,
    /// How long it may take, in seconds.
    pub timeout: Option<f64>,
    /// The rows.
    pub rows: Read,
}

/// The name of [`Read::Historical`].
pub const HISTORICAL: &str = "get_historical_features";
/// The name of [`Read::Newest`].
pub const NEWEST: &str = "pull_latest_from_table_or_query";
/// The name of [`Read::Rows`].
pub const ROWS: &str = "pull_all_from_table_or_query";
/// The name of [`Read::Columns`].
pub const COLUMNS: &str = "get_table_column_names_and_types_from_data_source";
const WRITE_BATCH: &str = "offline_write_batch";
const WRITE_LOG: &str = "write_logged_features";
const PERSIST: &str = "persist";
const VALIDATE: &str = "validate_data_source";

/// The names of all that can be asked for.
pub const API_NAMES: [&str; 8] = [HISTORICAL, NEWEST, ROWS, COLUMNS, WRITE_BATCH, WRITE_LOG, PERSIST, VALIDATE];

impl Command {
    /// Reads the command of a descriptor.
    ///
    /// # Errors
    /// When it is none, asks for something that there is not, or lacks a parameter.
    pub fn parse(bytes: &[u8]) -> Result<Self, CommandError> {
        let map: Map<String, Json> =
            serde_json::from_slice(bytes).map_err(|error| CommandError::NotJson(error.to_string()))?;
        let mut parameters = Parameters(map);
        let id = parameters.maybe("command_id")?.unwrap_or_default();
        let Some(api) = parameters.maybe::<String>("api")? else { return Err(CommandError::NoApi) };
        let call = match api.as_str() {
            WRITE_BATCH => Call::Put(write_batch(&mut parameters)?),
            WRITE_LOG => Call::Put(Put::WriteLog { service: parameters.take("feature_service_name")? }),
            PERSIST => Call::Put(Put::Persist(persist(&mut parameters)?)),
            VALIDATE => Call::Put(Put::Validate(data_source(&mut parameters)?)),
            other => Call::Read(read(other, &mut parameters)?),
        };
        Ok(Self { id, call })
    }

    /// The command as a descriptor has it.
    pub fn to_json(&self) -> String {
        let mut json = Map::new();
        json.insert("command_id".to_owned(), self.id.as_str().into());
        json.insert("api".to_owned(), self.api().into());
        match &self.call {
            Call::Read(read) => read.write(&mut json),
            Call::Put(put) => put.write(&mut json),
        }
        Json::Object(json).to_string()
    }

    /// The name of what is asked for.
    pub const fn api(&self) -> &'static str {
        match &self.call {
            Call::Read(read) => read.api(),
            Call::Put(Put::WriteBatch { .. }) => WRITE_BATCH,
            Call::Put(Put::WriteLog { .. }) => WRITE_LOG,
            Call::Put(Put::Persist(_)) => PERSIST,
            Call::Put(Put::Validate(_)) => VALIDATE,
        }
    }
}

impl Read {
    /// The name of what is asked for.
    pub const fn api(&self) -> &'static str {
        match self {
            Self::Historical(_) => HISTORICAL,
            Self::Newest(_) => NEWEST,
            Self::Rows(_) => ROWS,
            Self::Columns(_) => COLUMNS,
        }
    }

    fn write(&self, json: &mut Map<String, Json>) {
        match self {
            Self::Historical(historical) => historical.write(json),
            Self::Newest(pull) | Self::Rows(pull) => pull.write(json),
            Self::Columns(source) => put(json, "data_source_proto", data_source_to_json(source)),
        }
    }
}

impl Put {
    fn write(&self, json: &mut Map<String, Json>) {
        match self {
            Self::WriteBatch { view, alias } => {
                put(json, "feature_view_names", json!([view]));
                put(json, "progress", Json::Null);
                put(json, "name_aliases", json!([alias]));
            }
            Self::WriteLog { service } => put(json, "feature_service_name", service.as_str()),
            Self::Persist(Persist { source, allow_overwrite, timeout, rows }) => {
                put(json, "data_source_name", source.as_str());
                put(json, "allow_overwrite", *allow_overwrite);
                put(json, "timeout", *timeout);
                // A pull has a source of its own, under the same name of a parameter: the destination counts, as in Feast.
                let mut of_rows = Map::new();
                rows.write(&mut of_rows);
                of_rows.into_iter().for_each(|(name, value)| _ = json.entry(name).or_insert(value));
                put(json, "retrieve_func", rows.api());
            }
            Self::Validate(source) => put(json, "data_source_proto", data_source_to_json(source)),
        }
    }
}

impl Historical {
    fn write(&self, json: &mut Map<String, Json>) {
        let names: Vec<&str> = self.views.iter().map(|(view, _)| view.as_str()).collect();
        let aliases: Vec<Option<&str>> = self.views.iter().map(|(_, alias)| alias.as_deref()).collect();
        put(json, "feature_view_names", json!(names));
        put(json, "feature_refs", json!(self.features));
        put(json, "project", self.project.as_str());
        put(json, "full_feature_names", self.full_feature_names);
        put(json, "name_aliases", json!(aliases));
        // Feast looks whether they are there at all.
        for (name, moment) in [("start_date", self.start), ("end_date", self.end)] {
            moment.into_iter().for_each(|moment| put(json, name, moment.to_micros_text()));
        }
        self.sql.iter().for_each(|sql| put(json, "entity_df_sql", sql.as_str()));
    }
}

impl Pull {
    fn write(&self, json: &mut Map<String, Json>) {
        put(json, "data_source_name", self.source.as_str());
        put(json, "join_key_columns", json!(self.join_keys));
        put(json, "feature_name_columns", json!(self.features));
        put(json, "timestamp_field", self.event_column.as_str());
        put(json, "created_timestamp_column", self.created_column.clone());
        // Feast's server takes no null.
        put(json, "start_date", self.start.unwrap_or(Timestamp::FIRST).to_micros_text());
        put(json, "end_date", self.end.unwrap_or(Timestamp::LAST).to_micros_text());
    }
}

fn put(json: &mut Map<String, Json>, name: &str, value: impl Into<Json>) {
    json.insert(name.to_owned(), value.into());
}

fn read(api: &str, parameters: &mut Parameters) -> Result<Read, CommandError> {
    Ok(match api {
        HISTORICAL => Read::Historical(historical(parameters)?),
        NEWEST => Read::Newest(pull(parameters)?),
        ROWS => Read::Rows(pull(parameters)?),
        COLUMNS => Read::Columns(data_source(parameters)?),
        other => return Err(CommandError::UnknownApi(other.to_owned())),
    })
}

fn historical(parameters: &mut Parameters) -> Result<Historical, CommandError> {
    let names: Vec<String> = parameters.take("feature_view_names")?;
    let aliases: Vec<Option<String>> = parameters.take("name_aliases")?;
    if names.len() != aliases.len() {
        let reason = format!("there are {} for {} views", aliases.len(), names.len());
        return Err(CommandError::Wrong("name_aliases", reason));
    }
    Ok(Historical {
        views: names.into_iter().zip(aliases).collect(),
        features: parameters.take("feature_refs")?,
        project: parameters.take("project")?,
        full_feature_names: parameters.take("full_feature_names")?,
        sql: parameters.maybe("entity_df_sql")?,
        start: parameters.moment("start_date")?,
        end: parameters.moment("end_date")?,
    })
}

fn pull(parameters: &mut Parameters) -> Result<Pull, CommandError> {
    Ok(Pull {
        source: parameters.take("data_source_name")?,
        join_keys: parameters.take("join_key_columns")?,
        features: parameters.take("feature_name_columns")?,
        event_column: parameters.take("timestamp_field")?,
        created_column: parameters.maybe::<String>("created_timestamp_column")?.filter(|column| !column.is_empty()),
        start: parameters.moment("start_date")?,
        end: parameters.moment("end_date")?,
    })
}

fn write_batch(parameters: &mut Parameters) -> Result<Put, CommandError> {
    let views: Vec<String> = parameters.take("feature_view_names")?;
    let aliases: Vec<Option<String>> = parameters.take("name_aliases")?;
    match (<[_; 1]>::try_from(views), <[_; 1]>::try_from(aliases)) {
        (Ok([view]), Ok([alias])) => Ok(Put::WriteBatch { view, alias }),
        (Err(_), _) => Err(CommandError::Wrong("feature_view_names", "rows are for one view".to_owned())),
        (_, Err(_)) => Err(CommandError::Wrong("name_aliases", "there has to be one for the view".to_owned())),
    }
}

fn persist(parameters: &mut Parameters) -> Result<Persist, CommandError> {
    let api: String = parameters.take("retrieve_func")?;
    let source = parameters.take::<String>("data_source_name")?;
    // Of a pull it is the source as well, see above.
    parameters.0.insert("data_source_name".to_owned(), source.as_str().into());
    Ok(Persist {
        source,
        allow_overwrite: parameters.take("allow_overwrite")?,
        timeout: parameters.maybe("timeout")?,
        rows: read(&api, parameters)?,
    })
}

fn data_source(parameters: &mut Parameters) -> Result<Box<DataSource>, CommandError> {
    const NAME: &str = "data_source_proto";
    let source = data_source_from_json(&parameters.take::<String>(NAME)?);
    source.map(Box::new).map_err(|error| CommandError::Wrong(NAME, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FileSource, SourceKind};

    fn moment(text: &str) -> Option<Timestamp> {
        Some(Timestamp::absolute(text).unwrap())
    }

    fn commands() -> Vec<Call> {
        let file = FileSource { path: "data/stats.parquet".to_owned(), ..FileSource::default() };
        let source = DataSource {
            timestamp_field: "event_timestamp".to_owned(),
            ..DataSource::new("stats", SourceKind::File(file))
        };
        let historical = Historical {
            views: vec![("stats".to_owned(), None), ("stats".to_owned(), Some("origin".to_owned()))],
            features: vec!["stats:a".to_owned(), "origin:a".to_owned()],
            project: "p".to_owned(),
            full_feature_names: true,
            ..Historical::default()
        };
        let (start, end) = (moment("2021-04-11T00:00:00Z"), moment("2021-04-12T00:00:00.5Z"));
        let pull = Pull {
            source: "stats".to_owned(),
            join_keys: vec!["driver_id".to_owned()],
            features: vec!["a".to_owned()],
            event_column: "event_timestamp".to_owned(),
            created_column: Some("created".to_owned()),
            start,
            end,
        };
        let persist = |rows| {
            Call::Put(Put::Persist(Persist { source: "kept".to_owned(), allow_overwrite: true, timeout: None, rows }))
        };
        vec![
            Call::Read(Read::Historical(historical.clone())),
            Call::Read(Read::Historical(Historical { start, end, ..historical.clone() })),
            Call::Read(Read::Newest(pull.clone())),
            Call::Read(Read::Rows(Pull { created_column: None, ..pull.clone() })),
            Call::Read(Read::Columns(Box::new(source.clone()))),
            Call::Put(Put::WriteBatch { view: "stats".to_owned(), alias: None }),
            Call::Put(Put::WriteLog { service: "logged".to_owned() }),
            Call::Put(Put::Validate(Box::new(source))),
            persist(Read::Historical(Historical { sql: Some("SELECT 1".to_owned()), ..historical })),
            persist(Read::Rows(Pull { source: "kept".to_owned(), ..pull })),
        ]
    }

    #[test]
    fn what_a_client_writes_a_server_reads() {
        for call in commands() {
            let command = Command { id: "c-1".to_owned(), call };
            let json = command.to_json();
            assert!(json.starts_with(&format!("{{\"command_id\":\"c-1\",\"api\":\"{}\"", command.api())), "{json}");
            assert!(API_NAMES.contains(&command.api()));
            assert_eq!(Command::parse(json.as_bytes()), Ok(command), "{json}");
        }
    }

    #[test]
    fn a_range_without_an_end_is_all_that_there_is() {
        let pull = Pull { source: "s".to_owned(), ..Pull::default() };
        let json = Command { id: String::new(), call: Call::Read(Read::Rows(pull.clone())) }.to_json();
        assert!(json.contains("\"start_date\":\"0001-01-01T00:00:00.000000+00:00\""), "{json}");
        let nulls = json.replace("\"0001-01-01T00:00:00.000000+00:00\"", "null");
        let nulls = nulls.replace("\"9999-12-31T23:59:59.999999+00:00\"", "null");
        assert_eq!(Command::parse(nulls.as_bytes()).unwrap().call, Call::Read(Read::Rows(pull)));
    }

    #[test]
    fn what_is_no_command_is_said() {
        let error = |text: &str| Command::parse(text.as_bytes()).unwrap_err().to_string();
        for text in ["", "{", "{x", "[]", "1", "null", "\u{0}"] {
            assert!(error(text).starts_with("the command is not in JSON"), "{text}");
        }
        assert_eq!(error("{}"), "the command has no `api`");
        assert_eq!(error("{\"api\": null}"), "the command has no `api`");
        assert_eq!(error("{\"api\": \"nope\"}"), "there is no api `nope`");
        assert!(error("{\"api\": 7}").starts_with("`api` of the command is wrong"));
        let batch = "{\"api\": \"offline_write_batch\", \"name_aliases\": [null], \"feature_view_names\": ";
        assert_eq!(
            error(&format!("{batch}[\"a\", \"b\"]}}")),
            "`feature_view_names` of the command is wrong: rows are for one view"
        );
        let historical = "{\"api\": \"get_historical_features\", \"feature_view_names\": [\"v\"]";
        assert_eq!(error(&format!("{historical}}}")), "the command has no `name_aliases`");
        assert_eq!(
            error(&format!("{historical}, \"name_aliases\": []}}")),
            "`name_aliases` of the command is wrong: there are 0 for 1 views"
        );
    }

    #[test]
    fn a_command_without_a_parameter_is_refused_and_never_a_panic() {
        for call in commands() {
            let whole: Map<String, Json> =
                serde_json::from_str(&Command { id: "c".to_owned(), call }.to_json()).unwrap();
            for name in whole.keys() {
                let mut less = whole.clone();
                less.remove(name);
                // What is left is another command, or none.
                let _ = Command::parse(Json::Object(less.clone()).to_string().as_bytes());
                for other in [json!(7), json!({}), json!(["x", 1]), json!("\u{1F600}")] {
                    less.insert(name.clone(), other);
                    let _ = Command::parse(Json::Object(less.clone()).to_string().as_bytes());
                }
            }
        }
    }
}
