use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, AsArray, RecordBatch},
    compute::cast,
    csv,
    datatypes::{DataType as ArrowType, Field, Schema, SchemaRef},
    error::ArrowError,
    json,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{CommandError, Context, selection::SelectionArgs};
use crate::{
    feast::value::text_from_bytes,
    registry::state,
    retrieval::Retrieval,
    serving::{Answer, EntityTable, Status, get_online},
    ui::{Printer, Table},
};

/// Read the current features of entities from the online store
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  feastr get-online --features driver_hourly_stats:conv_rate --entity driver_id=1001 \
                        --entity driver_id=1002\n  feastr get-online --feature-service driver_activity_v2 --entities \
                        drivers.csv --json\n  feastr get-online --features basket:total --entity shop_id=b,item_no=3"
)]
pub struct Args {
    #[command(flatten)]
    selection: SelectionArgs,
    /// An entity as KEY=VALUE, several keys with commas; once per entity. Keys of bytes are written as
    /// they are, or as base64:YWI=
    #[arg(long, short, value_name = "KEY=VALUE")]
    entity: Vec<String>,
    /// Entities from a parquet, CSV or JSON-lines file; columns that are no join keys are ignored
    #[arg(long, value_name = "FILE", conflicts_with = "entity")]
    entities: Option<PathBuf>,
}

pub fn run(args: &Args, context: &Context) -> Result<ExitCode, CommandError> {
    let config = context.config()?;
    let registry = context.registry_to_read()?;
    let online = context.required_online()?;
    let registered = state(&registry.snapshot(&config.project)?);
    let retrieval = args.selection.resolve(&registered, &registry.location())?;
    let entities = match &args.entities {
        Some(path) => read_entities(path, &retrieval, context.printer)?,
        None => parse_entities(&args.entity)?,
    };
    let answer = get_online(&config.project, &retrieval, &entities, online.as_ref(), context.now)?;
    if context.printer.json {
        context.printer.json(&answer.to_json())?;
    } else {
        context.printer.result(draw(&answer))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn parse_entities(entities: &[String]) -> Result<EntityTable, CommandError> {
    let mut table = EntityTable::default();
    for entity in entities {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for piece in entity.split(',') {
            match (piece.split_once('='), pairs.last_mut()) {
                (Some((key, value)), _) if !key.trim().is_empty() => {
                    pairs.push((key.trim().to_owned(), value.to_owned()));
                }
                // A comma inside of a value: `name=Smith, John`.
                (None, Some((_, value))) => {
                    value.push(',');
                    value.push_str(piece);
                }
                _ => {
                    return Err(CommandError::new(
                        format!("`{entity}` is not an entity"),
                        "write --entity driver_id=1001".to_owned(),
                    ));
                }
            }
        }
        table.push(pairs)?;
    }
    Ok(table)
}

/// The join keys in a file; other columns are ignored, so that a file of training rows will do.
fn read_entities(path: &Path, retrieval: &Retrieval, printer: Printer) -> Result<EntityTable, CommandError> {
    let shown = path.display();
    let unreadable = |error: ArrowError| {
        let reason = match error {
            ArrowError::IoError(_, error) => error.to_string(),
            other => other.to_string(),
        };
        CommandError::new(format!("cannot read {shown}: {reason}"), None)
    };
    let (schema, batches) = read_batches(path).map_err(unreadable)?;
    if batches.iter().all(|batch| batch.num_rows() == 0) {
        return Err(CommandError::new(format!("there are no entities in {shown}"), None));
    }
    let keys = retrieval.entity_columns();
    let is_key = |name: &str| keys.iter().any(|key| key.column == name);
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let (columns, ignored): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(|column| is_key(names[*column]));
    if !ignored.is_empty() {
        let ignored: Vec<&str> = ignored.into_iter().map(|column| names[column]).collect();
        printer.say(format_args!("{shown}: columns that are no join keys are ignored: {}", ignored.join(", ")));
    }
    let columns_named = columns.iter().map(|column| names[*column].to_owned()).collect();
    let mut table = EntityTable { columns: columns_named, rows: Vec::new() };
    for batch in batches {
        let cells = columns.iter().map(|column| texts(batch.column(*column))).collect::<Result<Vec<_>, _>>();
        let cells = cells.map_err(unreadable)?;
        table.rows.extend((0..batch.num_rows()).map(|row| cells.iter().map(|cells| cells[row].clone()).collect()));
    }
    Ok(table)
}

/// The rows of a parquet, JSON-lines or CSV file.
fn read_batches(path: &Path) -> Result<(SchemaRef, Vec<RecordBatch>), ArrowError> {
    let open = || File::open(path).map_err(ArrowError::from);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending {
        "parquet" | "pq" => {
            let builder = ParquetRecordBatchReaderBuilder::try_new(open()?)?;
            let schema = builder.schema().clone();
            Ok((schema, builder.build()?.collect::<Result<_, _>>()?))
        }
        "jsonl" | "ndjson" | "json" => {
            let (schema, _) = json::reader::infer_json_schema(BufReader::new(open()?), None)?;
            let schema = Arc::new(schema);
            let reader = json::ReaderBuilder::new(schema.clone()).build(BufReader::new(open()?))?;
            Ok((schema, reader.collect::<Result<_, _>>()?))
        }
        _ => {
            let format = csv::reader::Format::default().with_header(true);
            let (schema, _) = format.infer_schema(open()?, Some(1))?;
            let text = |field: &Arc<Field>| field.as_ref().clone().with_data_type(ArrowType::Utf8);
            let schema = Arc::new(Schema::new(schema.fields().iter().map(text).collect::<Vec<_>>()));
            let reader = csv::ReaderBuilder::new(schema.clone()).with_header(true).build(open()?)?;
            Ok((schema, reader.collect::<Result<_, _>>()?))
        }
    }
}

/// The values of a column as they would be written on the command line; bytes perhaps in base64.
fn texts(column: &ArrayRef) -> Result<Vec<Option<String>>, ArrowError> {
    match column.data_type() {
        ArrowType::Binary | ArrowType::LargeBinary | ArrowType::BinaryView | ArrowType::FixedSizeBinary(_) => {
            let bytes = cast(column, &ArrowType::LargeBinary)?;
            Ok(bytes.as_binary::<i64>().iter().map(|bytes| bytes.map(text_from_bytes)).collect())
        }
        _ => {
            let texts = cast(column, &ArrowType::Utf8)?;
            Ok(texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect())
        }
    }
}

/// One line per entity; what is not simply there says how it stands.
fn draw(answer: &Answer) -> Table {
    let mut table = Table::new(answer.columns.iter().map(|column| column.name.as_str()));
    let rows = answer.columns.first().map_or(0, |column| column.values.len());
    for row in 0..rows {
        table.row(answer.columns.iter().map(|column| {
            let answered = &column.values[row];
            match answered.status {
                Status::Present => answered.value.to_string(),
                Status::OutsideMaxAge if !answered.value.is_null() => {
                    format!("{} ({})", answered.value, answered.status)
                }
                status => format!("({status})"),
            }
        }));
    }
    table
}
