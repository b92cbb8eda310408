//! Where a result of rows goes and in which format: the arguments that commands with such results share.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{CommandError, output_format::OutputFormat};
use crate::{
    diagnostics::counted,
    sink::{RowSink, SinkError, Target},
    ui::Printer,
};

/// Where rows go.
#[derive(Debug, clap::Args)]
pub(crate) struct OutputArgs {
    /// Where the result goes; the ending gives the format [default: the screen]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How the result is written [default: as the ending of the output says, else a table]
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
}

impl OutputArgs {
    /// Begins to write, so that what cannot be written is known before anything is read.
    pub(crate) fn open(&self, printer: Printer) -> Result<Output, CommandError> {
        let path = self.output.as_deref().filter(|path| *path != Path::new("-"));
        let format = self.chosen_format(path, printer.json)?;
        let target = match path {
            Some(path) => Target::file(path).map_err(|error| unwritable(path, &error))?,
            None => Target::stdout(),
        };
        Ok(Output { sink: format.sink(target), path: path.map(Path::to_owned), format })
    }

    fn chosen_format(&self, path: Option<&Path>, json: bool) -> Result<OutputFormat, CommandError> {
        if let Some(format) = self.format {
            return Ok(format);
        }
        match path {
            Some(path) => OutputFormat::from_path(path).ok_or_else(|| {
                CommandError::new(
                    format!("the ending of {} says no format", path.display()),
                    "end it with .parquet, .csv, .jsonl or .arrow, or give --format".to_owned(),
                )
            }),
            None if json => Ok(OutputFormat::Jsonl),
            None => Ok(OutputFormat::Table),
        }
    }
}

/// An output that is being written.
pub(crate) struct Output {
    /// Takes the rows.
    pub(crate) sink: RowSink,
    /// `None` is standard output.
    path: Option<PathBuf>,
    format: OutputFormat,
}

impl Output {
    /// Completes the output when the query, which answered `read`, is done. A query that was broken off because the
    /// output failed is no failure of its own.
    pub(crate) fn finish<T: Default, E: Into<CommandError>>(
        self,
        read: Result<T, E>,
        printer: Printer,
    ) -> Result<(T, Written), CommandError> {
        let Self { sink, path, format } = self;
        let read = if sink.failed() { T::default() } else { read.map_err(Into::into)? };
        let rows = sink.finish().map_err(|error| explain(error, path.as_deref()))?;
        let not_shown = format.left_out(rows);
        if not_shown > 0 {
            printer.say(format_args!("… and {}; write them all with --output FILE", counted(not_shown, "more row")));
        }
        Ok((read, Written { rows, path }))
    }
}

/// What was written.
pub(crate) struct Written {
    /// How many rows.
    pub(crate) rows: usize,
    path: Option<PathBuf>,
}

impl Written {
    /// Says where the result is, if not in front of the person.
    pub(crate) fn say(&self, printer: Printer) {
        if let Some(path) = &self.path {
            printer.say(format_args!("Wrote {} to {}", counted(self.rows, "row"), path.display()));
        }
    }
}

fn explain(error: SinkError, path: Option<&Path>) -> CommandError {
    match (error, path) {
        (SinkError::Io(error), Some(path)) => unwritable(path, &error),
        (SinkError::Io(error), None) => error.into(),
        (error @ SinkError::Nested(_), _) => {
            CommandError::new(error.to_string(), "use --format parquet or jsonl".to_owned())
        }
        (error, _) => CommandError::new(error.to_string(), None),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> CommandError {
    let message = match error.kind() {
        io::ErrorKind::StorageFull => format!("no space left for {}; no file was left behind", path.display()),
        _ => format!("cannot write {}: {error}", path.display()),
    };
    CommandError::new(message, None)
}
