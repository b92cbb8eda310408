use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, AsArray},
    error::ArrowError,
};

use super::{CommandError, Context, Exit, entity_file::EntityFile, selection::SelectionArgs};
use crate::{
    app::retrieval::retrieval,
    retrieval::Retrieval,
    serving::{Answer, EntityTable, Status, get_online},
    sources::{OpenSource, Role, Wanted, as_texts},
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
    /// Entities from a parquet, CSV or JSON-lines file, or - for stdin; columns that are no join keys are ignored
    #[arg(long, value_name = "FILE", conflicts_with = "entity")]
    entities: Option<PathBuf>,
}

pub fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let (store, caller) = (context.store()?, context.caller());
    let online = store.required_online()?;
    let retrieval = retrieval(&store, &caller, &args.selection.request()?)?;
    let entities = match &args.entities {
        Some(path) => read_entities(path, &retrieval, context.printer)?,
        None => parse_entities(&args.entity)?,
    };
    let answer = get_online(store.project(), &retrieval, &entities, online, store.now())?;
    if context.printer.json {
        context.printer.json(&answer.to_json())?;
    } else {
        context.printer.result(draw(&answer))?;
    }
    Ok(Exit::Done)
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
    let rows = EntityFile::open(path)?;
    let shown = &rows.shown;
    let file = OpenSource::file(&rows.path, rows.format, shown)?;
    let keys = retrieval.entity_columns();
    let is_key = |name: &str| keys.iter().any(|key| key.column == name);
    let names = file.columns().columns.iter().map(|column| column.name.as_str());
    let (columns, ignored): (Vec<&str>, Vec<&str>) = names.partition(|name| is_key(name));
    if !ignored.is_empty() {
        printer.say(format_args!("{shown}: columns that are no join keys are ignored: {}", ignored.join(", ")));
    }
    let wanted = |name: &&str| Wanted { column: (*name).to_owned(), role: Role::AsIs, null_if_unfit: false };
    let run = Arc::new(file.scan(columns.iter().map(wanted).collect())?).run();
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    let mut table = EntityTable { columns, rows: Vec::new(), file: Some(shown.clone()) };
    while let Some(mut part) = run.part()? {
        while let Some(rows) = run.batch(&mut part)? {
            let cells = rows.columns.iter().map(texts).collect::<Result<Vec<_>, ArrowError>>();
            let cells = cells.map_err(|error| CommandError::new(format!("cannot read {shown}: {error}"), None))?;
            table.rows.extend((0..rows.count).map(|row| cells.iter().map(|cells| cells[row].clone()).collect()));
        }
    }
    if table.rows.is_empty() {
        return Err(CommandError::new(format!("there are no entities in {shown}"), None));
    }
    Ok(table)
}

/// The values of a column as they would be written on the command line.
fn texts(column: &ArrayRef) -> Result<Vec<Option<String>>, ArrowError> {
    let texts = as_texts(column)?;
    Ok(texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect())
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
