//! Which columns files have together, as their headers and the names of their folders show them.

use std::collections::BTreeSet;

use arrow::{
    array::{Array, ArrayRef},
    datatypes::{FieldRef, Fields},
};

use super::{
    columns::{Column, ColumnKind, Columns, Holds},
    files::DataFile,
    header::{Header, typed},
};

/// The columns of all of some files, each of which comes with what messages call it and its header. A table that says
/// what its columns are has no others, also where they are in none of its files.
pub(super) fn columns_of<'a>(
    files: impl Iterator<Item = ((&'a DataFile, &'a String), &'a Header)> + Clone,
    table: Option<&Fields>,
) -> Columns {
    let mut columns = columns_of_files(files, table);
    let Some(table) = table else { return columns };
    let known = |name: &str| columns.get(name).cloned();
    let of_table = |field: &FieldRef| {
        known(field.name()).unwrap_or_else(|| {
            let kind = ColumnKind { holds: typed(field), files: 0, first: String::new() };
            Column { name: field.name().clone(), kinds: vec![kind], twice_in: None, in_folders: None }
        })
    };
    columns.columns = table.iter().map(of_table).collect();
    columns
}

fn columns_of_files<'a>(
    files: impl Iterator<Item = ((&'a DataFile, &'a String), &'a Header)> + Clone,
    table: Option<&Fields>,
) -> Columns {
    let mut columns = Columns { rows: Some(0), ..Columns::default() };
    // What files without rows say of types is of no consequence, unless no other file has the column.
    let (with_rows, empty): (Vec<_>, Vec<_>) = files.clone().partition(|(_, header)| !header.is_empty());
    for ((file, shown), header) in with_rows {
        columns.rows = match header {
            Header::Batches(batches) => columns.rows.map(|rows| rows + batches.rows()),
            Header::Parquet(footer) => columns.rows.map(|rows| rows + left(file, footer.rows())),
            Header::Columns { rows: more, .. } => columns.rows.map(|rows| rows + left(file, *more)),
            Header::Text(_) | Header::Postgres(_) => None,
        };
        let mut seen = BTreeSet::new();
        for (name, holds) in header.columns() {
            match seen.insert(name) {
                true => columns.add(name, holds, shown),
                false => columns.note_twice(name, shown),
            }
        }
    }
    for ((_, shown), header) in empty {
        for (name, holds) in header.columns() {
            if columns.get(name).is_none() {
                columns.add(name, holds, shown);
            }
        }
    }
    if files.clone().all(|((file, _), _)| file.partitions.is_empty()) {
        return columns;
    }
    let in_files: BTreeSet<String> = columns.columns.iter().map(|column| column.name.clone()).collect();
    for ((file, shown), _) in files.clone() {
        for (key, _) in &file.partitions {
            if !in_files.contains(key) {
                let said = table.and_then(|table| table.find(key));
                columns.add(key, said.map_or(Holds::Text, |(_, field)| typed(field)), shown);
            }
        }
    }
    for column in &mut columns.columns {
        if in_files.contains(&column.name) {
            column.in_folders = contradiction(files.clone(), column);
        }
    }
    columns
}

/// How many rows are left of those in a file.
fn left(file: &DataFile, rows: u64) -> u64 {
    rows.saturating_sub(file.deleted.len() as u64)
}

/// What differs between the folders and the files of a column that both have.
fn contradiction<'a>(
    mut files: impl Iterator<Item = ((&'a DataFile, &'a String), &'a Header)>,
    column: &Column,
) -> Option<String> {
    files.find_map(|((file, shown), header)| {
        let (_, text) = file.partitions.iter().rev().find(|(key, _)| *key == column.name)?;
        let Header::Parquet(footer) = header else { return None };
        let (position, _) = footer.fields.find(&column.name)?;
        let schema = footer.reading_schema();
        (0..footer.row_groups().len()).find_map(|group| {
            let (least, greatest) = footer.bounds(&schema, position, group)?;
            [least, greatest].iter().find_map(|bound| {
                let said = shown_value(bound)?;
                let folder = text.as_deref().unwrap_or("null");
                (!same_value(&said, folder)).then(|| format!("{shown} holds {said} below {folder}"))
            })
        })
    })
}

/// The only value of an array as text.
fn shown_value(bound: &ArrayRef) -> Option<String> {
    if bound.len() != 1 || bound.is_null(0) {
        return None;
    }
    arrow::util::display::array_value_to_string(bound, 0).ok()
}

/// Whether two texts say the same, as `2026-01-01` and `2026-01-01T00:00:00`, or `07` and `7`.
fn same_value(file: &str, folder: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    file == folder
        || file.strip_suffix("T00:00:00").is_some_and(|date| date == folder)
        || file.strip_suffix("T00:00:00Z").is_some_and(|date| date == folder)
        || file.replace(' ', "T") == folder.replace(' ', "T")
        || matches!((number(file), number(folder)), (Some(one), Some(other)) if one == other)
}
