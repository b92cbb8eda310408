use arrow::datatypes::Schema;
use serde_json::json;

use super::CommandError;
use crate::{
    model::printable,
    ui::{Printer, Table},
};

/// Shows the columns of a result and their types.
pub(crate) fn show(schema: &Schema, printer: Printer) -> Result<(), CommandError> {
    let columns = || schema.fields().iter().map(|field| (field.name(), field.data_type().to_string()));
    if printer.json {
        let columns: Vec<_> = columns().map(|(name, kind)| json!({ "name": name, "type": kind })).collect();
        printer.json(&columns)?;
        return Ok(());
    }
    let mut table = Table::new(["COLUMN", "TYPE"]);
    for (name, kind) in columns() {
        table.row([printable(name).into_owned(), kind]);
    }
    printer.result(table)?;
    Ok(())
}
