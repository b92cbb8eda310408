//! What a join would do, in words or as JSON.

use std::fmt::Write as _;

use indicatif::HumanBytes;
use serde_json::{Value, json};

use super::CommandError;
use crate::{
    diagnostics::counted,
    model::{Interval, Timestamp, printable},
    offline::{Explained, ExplainedView},
    sources::Share,
    ui::Printer,
};

/// Shows it.
pub(super) fn show(explained: &Explained, printer: Printer) -> Result<(), CommandError> {
    if printer.json {
        printer.json(&in_json(explained))?;
    } else {
        printer.result(in_words(explained))?;
    }
    Ok(())
}

fn in_words(explained: &Explained) -> String {
    let mut text = counted(explained.entity_rows, "entity row");
    if let Some(Interval { start, end }) = explained.times {
        let _ = write!(text, ", from {start} to {end}");
    }
    text.push('\n');
    if let Some(engine) = &explained.engine {
        let _ = writeln!(text, "joined by {engine}; what is computed of features, and the result, are made here");
    }
    for view in &explained.views {
        write_view(&mut text, view);
    }
    let _ = writeln!(
        text,
        "\nWhat comes out is that of this SQL, where entity_rows are the entity rows:\n\n{}\n",
        explained.sql
    );
    text
}

fn write_view(text: &mut String, ExplainedView { view, source, events, size }: &ExplainedView) {
    let _ = writeln!(text, "\nfeature view {}, data source {}", printable(view), printable(source));
    let _ = match events {
        Some(Interval { start: Timestamp::FIRST, end: Timestamp::LAST }) => writeln!(text, "  events      all"),
        Some(Interval { start: Timestamp::FIRST, end }) => writeln!(text, "  events      until {end}"),
        Some(Interval { start, end }) => writeln!(text, "  events      from {start} to {end}"),
        None => writeln!(text, "  events      none: no entity row has a time"),
    };
    let part = |share: Share| format!("{} of {}", share.read, share.all);
    let _ = writeln!(text, "  files       {}", part(size.files));
    if size.row_groups.all > 0 {
        let _ = writeln!(text, "  row groups  {}", part(size.row_groups));
        let _ = writeln!(text, "  rows        {}", part(size.rows));
    }
    let _ = writeln!(text, "  bytes       at most {} of {}", HumanBytes(size.bytes.read), HumanBytes(size.bytes.all));
}

fn in_json(explained: &Explained) -> Value {
    let interval = |interval: Option<Interval>| interval.map(|Interval { start, end }| json!([start, end]));
    let share = |share: Share| json!({ "read": share.read, "all": share.all });
    let view = |explained: &ExplainedView| {
        json!({
            "view": explained.view,
            "source": explained.source,
            "events": interval(explained.events),
            "files": share(explained.size.files),
            "row_groups": share(explained.size.row_groups),
            "rows": share(explained.size.rows),
            "bytes": share(explained.size.bytes),
        })
    };
    json!({
        "entity_rows": explained.entity_rows,
        "times": interval(explained.times),
        "views": explained.views.iter().map(view).collect::<Vec<_>>(),
        "sql": explained.sql,
        "engine": explained.engine,
    })
}
