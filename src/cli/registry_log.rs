use std::num::NonZeroUsize;

use super::{CommandError, Context, Exit};
use crate::{
    app::change_log::changes,
    model::{ChangeKind, ChangeRecord, ObjectKind, Timestamp, printable},
    registry::WantedChanges,
    ui::{Style, Table},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only changes of objects with this name
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Only changes of objects of this kind
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<ObjectKind>,
    /// Only changes at this time and later: 2026-11-01, -7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// How many changes to show at most
    #[arg(long, short = 'n', value_name = "N", default_value = "20")]
    limit: NonZeroUsize,
}

/// The kind that commands write so.
fn kind(slug: &str) -> Result<ObjectKind, String> {
    ObjectKind::ALL.into_iter().find(|kind| kind.slug() == slug).ok_or_else(|| {
        let slugs = ObjectKind::ALL.map(ObjectKind::slug);
        format!("there are {}", slugs.join(", "))
    })
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let since = args.since.as_ref().map(|text| Timestamp::parse(text, context.now)).transpose();
    let wanted = WantedChanges {
        limit: args.limit.get(),
        name: args.name.clone(),
        kind: args.kind,
        since: since.map_err(|error| CommandError::new(error.to_string(), None))?,
    };
    let found = changes(&context.store()?, &context.caller(), &wanted)?;
    let printer = context.printer;
    if printer.json {
        printer.json(&found)?;
    } else if found.is_empty() {
        printer.say("No such change is in the log");
    } else {
        printer.result(draw(&found, printer.out))?;
    }
    Ok(Exit::Done)
}

/// A row for each object of a change; what all have in common is said once.
fn draw(records: &[ChangeRecord], style: Style) -> String {
    let mut table = Table::new(["CHANGED", "WHAT", "KIND", "NAME", "BY", "FROM"]);
    for record in records {
        let second = Timestamp::from_micros(record.at.seconds().saturating_mul(1_000_000)).to_string();
        let (by, from) = (printable(&record.author.by).into_owned(), record.author.from.clone().unwrap_or_default());
        for (at, change) in record.changes.iter().enumerate() {
            let of_first = |text: &str| if at == 0 { text.to_owned() } else { String::new() };
            let word = change.change.as_str();
            table.row([
                of_first(&second),
                match change.change {
                    ChangeKind::Created => style.good(word),
                    ChangeKind::Updated => style.notice(word),
                    ChangeKind::Deleted => style.bad(word),
                },
                change.id.kind.as_str().to_owned(),
                printable(&change.id.name).into_owned(),
                of_first(&by),
                of_first(&from),
            ]);
        }
    }
    table.to_string()
}
