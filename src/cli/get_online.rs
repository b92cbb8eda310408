use std::{fs::File, io::BufReader, path::PathBuf, process::ExitCode, sync::Arc};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    compute::cast,
    csv,
    datatypes::{DataType as ArrowType, Schema},
    error::ArrowError,
    json,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{CommandError, Context, selection::SelectionArgs};
use crate::{
    registry::state,
    serving::{Answer, EntityTable, Status, get_online},
    ui::Table,
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
    /// An entity as KEY=VALUE, several keys with commas; once per entity
    #[arg(long, short, value_name = "KEY=VALUE")]
    entity: Vec<String>,
    /// Entities from a parquet, CSV or JSON-lines file
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
        Some(path) => read_entities(path)?,
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

fn read_entities(path: &PathBuf) -> Result<EntityTable, CommandError> {
    let unreadable = |error: String| CommandError::new(format!("cannot read {}: {error}", path.display()), None);
    let open = || File::open(path).map_err(|error| unreadable(error.to_string()));
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let batches: Result<Vec<RecordBatch>, ArrowError> = match ending {
        "parquet" | "pq" => ParquetRecordBatchReaderBuilder::try_new(open()?)
            .and_then(ParquetRecordBatchReaderBuilder::build)
            .map_err(|error| unreadable(error.to_string()))?
            .collect(),
        "jsonl" | "ndjson" | "json" => {
            let (schema, _) = json::reader::infer_json_schema(BufReader::new(open()?), None)
                .map_err(|error| unreadable(error.to_string()))?;
            json::ReaderBuilder::new(Arc::new(schema))
                .build(BufReader::new(open()?))
                .map_err(|error| unreadable(error.to_string()))?
                .collect()
        }
        _ => {
            let format = csv::reader::Format::default().with_header(true);
            let (schema, _) = format.infer_schema(open()?, Some(1)).map_err(|error| unreadable(error.to_string()))?;
            let fields: Vec<_> =
                schema.fields().iter().map(|field| field.as_ref().clone().with_data_type(ArrowType::Utf8)).collect();
            csv::ReaderBuilder::new(Arc::new(Schema::new(fields)))
                .with_header(true)
                .build(open()?)
                .map_err(|error| unreadable(error.to_string()))?
                .collect()
        }
    };
    let mut table = EntityTable::default();
    for batch in batches.map_err(|error| unreadable(error.to_string()))? {
        if table.columns.is_empty() {
            table.columns = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        }
        add_rows(&mut table, &batch).map_err(|error| unreadable(error.to_string()))?;
    }
    Ok(table)
}

fn add_rows(table: &mut EntityTable, batch: &RecordBatch) -> Result<(), ArrowError> {
    let columns = batch.columns().iter().map(|column| cast(column, &ArrowType::Utf8)).collect::<Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        let cells = columns.iter().map(|column| {
            let texts = column.as_string::<i32>();
            texts.is_valid(row).then(|| texts.value(row).to_owned())
        });
        table.rows.push(cells.collect());
    }
    Ok(())
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
