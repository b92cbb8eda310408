//! Arrow files and streams, which become parquet files to be read like all others.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use arrow::{
    array::RecordBatch,
    error::ArrowError,
    ipc::reader::{FileReader, StreamReader},
};
use parquet::{arrow::ArrowWriter, errors::ParquetError};

/// How files begin.
const FILE: [u8; 6] = *b"ARROW1";
/// How the first message of a stream begins.
const STREAM: [u8; 4] = [0xff; 4];

/// Whether a file begins as Arrow files and streams do.
///
/// # Errors
/// When it cannot be read.
pub(super) fn is_arrow(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::with_capacity(FILE.len());
    File::open(path)?.take(FILE.len() as u64).read_to_end(&mut beginning)?;
    Ok(beginning == FILE || beginning.starts_with(&STREAM))
}

/// Copies the rows of an Arrow file or stream into a parquet file.
///
/// # Errors
/// In words, when the file is damaged, has values that parquet has no form for, or the copy cannot be written.
pub(super) fn arrow_to_parquet(from: &Path, to: &Path) -> Result<(), String> {
    let words = |error: ArrowError| format!("it is not a readable Arrow file: {error}");
    let open = || File::open(from).map(BufReader::new).map_err(|error| error.to_string());
    match FileReader::try_new(open()?, None) {
        Ok(rows) => copy(rows.schema(), rows, to),
        Err(_) => {
            let rows = StreamReader::try_new(open()?, None).map_err(words)?;
            copy(rows.schema(), rows, to)
        }
    }
}

fn copy(
    schema: arrow::datatypes::SchemaRef,
    rows: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    to: &Path,
) -> Result<(), String> {
    let unwritten = |error: ParquetError| format!("its rows cannot be kept in a temporary file: {error}");
    let file = File::create(to).map_err(|error| error.to_string())?;
    let mut writer = ArrowWriter::try_new(file, schema, None).map_err(unwritten)?;
    for batch in rows {
        writer.write(&batch.map_err(|error| format!("it is damaged: {error}"))?).map_err(unwritten)?;
    }
    writer.close().map_err(unwritten).map(drop)
}
