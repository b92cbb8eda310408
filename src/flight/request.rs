//! From commands to what use cases are asked.

use std::{ops::ControlFlow, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema, SchemaRef},
};

use crate::{
    app::{
        AskedRows, Caller, Failure, FeatureStore, SourceColumns,
        add_history::add_history,
        add_to_log::add_to_log,
        get_historical::{About, Over},
        look_at_source::{columns, validate},
        persist::persist,
    },
    feast::flight::{COLUMNS, HISTORICAL, Historical, NEWEST, Persist, Pull, Put, ROWS, Read},
    model::{DataSource, Timestamp},
    offline::{BatchSink, Cancel},
    problem::{Kind, Problem},
    retrieval::{Alias, Entities, FeatureRequest, Selection},
};

/// Something that is answered with rows.
#[derive(Debug, Clone)]
pub(super) enum Question {
    /// Rows of the offline store.
    Rows(AskedRows),
    /// The columns of a source.
    Columns(Box<DataSource>),
}

/// Something that is done.
#[derive(Debug)]
pub(super) enum Act {
    /// Rows are added to the history of a view.
    AddHistory { view: String, rows: Entities },
    /// Rows are added to the log of a service.
    AddToLog { service: String, rows: Entities },
    /// Rows are written to where a source has them.
    Persist { source: String, allow_overwrite: bool, rows: AskedRows },
    /// A source is looked at.
    Validate(Box<DataSource>),
}

impl Question {
    /// What a command asks for, of the rows that came along.
    ///
    /// # Errors
    /// When the command contradicts itself, or asks for another project than the store has.
    pub(super) fn of(read: Read, rows: Option<Entities>, store: &FeatureStore) -> Result<Self, Problem> {
        Ok(match read {
            Read::Columns(source) => Self::Columns(source),
            read => Self::Rows(asked_rows(read, rows, store)?),
        })
    }

    /// What it is called among clients.
    pub(super) const fn api(&self) -> &'static str {
        match self {
            Self::Rows(AskedRows::Historical { .. }) => HISTORICAL,
            Self::Rows(AskedRows::Newest(_)) => NEWEST,
            Self::Rows(AskedRows::All(_)) => ROWS,
            Self::Columns(_) => COLUMNS,
        }
    }

    /// Streams the answer.
    ///
    /// # Errors
    /// When it cannot be had, or was called off.
    pub(super) fn stream(
        &self,
        store: &FeatureStore,
        caller: &Caller,
        cancel: &Cancel,
        sink: &mut dyn BatchSink,
    ) -> Result<(), Failure> {
        match self {
            Self::Rows(rows) => rows.stream(store, caller, cancel, sink),
            Self::Columns(source) => {
                let columns = columns(store, caller, source)?;
                let names: ArrayRef =
                    Arc::new(StringArray::from_iter_values(columns.iter().map(|column| &column.name)));
                let kinds: ArrayRef =
                    Arc::new(StringArray::from_iter_values(columns.iter().map(|column| &column.kind)));
                let field = |name: &str| Field::new(name, DataType::Utf8, true);
                let schema: SchemaRef = Arc::new(Schema::new(vec![field("name"), field("type")]));
                let batch = RecordBatch::try_new(Arc::clone(&schema), vec![names, kinds])
                    .map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
                if sink.start(&schema) == ControlFlow::Continue(()) {
                    let _ = sink.batch(&batch);
                }
                Ok(())
            }
        }
    }
}

impl Act {
    /// What a command wants done, with the rows that came along.
    ///
    /// # Errors
    /// As for [`Question::of`], and when there are no rows that are needed.
    pub(super) fn of(put: Put, rows: Option<Entities>, store: &FeatureStore) -> Result<Self, Problem> {
        let needed = |rows: Option<Entities>| {
            rows.ok_or_else(|| Problem::new(Kind::Invalid, "no rows came with the command", None))
        };
        Ok(match put {
            Put::WriteBatch { view, .. } => Self::AddHistory { view, rows: needed(rows)? },
            Put::WriteLog { service } => Self::AddToLog { service, rows: needed(rows)? },
            Put::Validate(source) => Self::Validate(source),
            Put::Persist(Persist { source, allow_overwrite, rows: read, .. }) => match read {
                Read::Columns(_) => {
                    let message = "the columns of a source are not persisted";
                    return Err(Problem::new(Kind::Unsupported, message, None));
                }
                read => Self::Persist { source, allow_overwrite, rows: asked_rows(read, rows, store)? },
            },
        })
    }

    /// Does it. How many rows it was about.
    ///
    /// # Errors
    /// When it cannot be done, or was called off.
    pub(super) fn act(&self, store: &FeatureStore, caller: &Caller, cancel: &Cancel) -> Result<u64, Failure> {
        Ok(match self {
            Self::AddHistory { view, rows } => add_history(store, caller, view, rows)?.map_or(0, |added| added.rows),
            Self::AddToLog { service, rows } => add_to_log(store, caller, service, rows)?.rows as u64,
            Self::Persist { source, allow_overwrite, rows } => {
                persist(store, caller, rows, (source, *allow_overwrite), cancel)? as u64
            }
            Self::Validate(source) => {
                validate(store, caller, source)?;
                0
            }
        })
    }
}

fn asked_rows(read: Read, rows: Option<Entities>, store: &FeatureStore) -> Result<AskedRows, Problem> {
    match read {
        Read::Historical(historical) => asked_features(historical, rows, store),
        Read::Newest(pull) => Ok(AskedRows::Newest(source_columns(pull))),
        Read::Rows(pull) => Ok(AskedRows::All(source_columns(pull))),
        Read::Columns(_) => Err(Problem::new(Kind::Internal, "columns are no rows", None)),
    }
}

fn asked_features(historical: Historical, rows: Option<Entities>, store: &FeatureStore) -> Result<AskedRows, Problem> {
    let Historical { views, features, project, full_feature_names, sql, start, end } = historical;
    if project != store.project() {
        let message = format!("this server has project `{}`, and not `{project}`", store.project());
        return Err(Problem::new(Kind::Invalid, message, "ask the server of that project".to_owned()));
    }
    let references = features.iter().map(|feature| feature.parse()).collect::<Result<_, _>>()?;
    let alias = |(view, alias): &(String, Option<String>)| {
        alias.as_ref().map(|name| Alias { name: name.clone(), view: view.clone() })
    };
    let selection = Selection { service: None, references, aliases: views.iter().filter_map(alias).collect() };
    Ok(AskedRows::Historical {
        features: FeatureRequest { selection, full_feature_names },
        views: views.into_iter().map(|(view, _)| view).collect(),
        about: about(rows, sql, (start, end), store.now())?,
    })
}

/// Whom features are asked about: those that came along, or a query or range names.
fn about(
    rows: Option<Entities>,
    sql: Option<String>,
    range: (Option<Timestamp>, Option<Timestamp>),
    now: Timestamp,
) -> Result<About, Problem> {
    match (rows, sql, range) {
        (Some(rows), None, (None, None)) => Ok(About::Rows(rows)),
        (None, Some(sql), (None, None)) => Ok(About::Sql { sql, at: None, over: Over::Sources }),
        (None, None, (start, end)) => Ok(About::Range { start, end: end.unwrap_or(now) }),
        _ => Err(Problem::new(
            Kind::Invalid,
            "features are asked for in more than one way",
            "give entity rows, a query that gives them, or dates".to_owned(),
        )),
    }
}

fn source_columns(pull: Pull) -> SourceColumns {
    let Pull { source, join_keys, features, event_column, created_column, start, end } = pull;
    SourceColumns { source, join_keys, features, event: event_column, created: created_column, start, end }
}
