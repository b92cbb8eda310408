//! A side of a join whose rows the server has.

use std::sync::Arc;

use tokio_postgres::types::Type;

use crate::{
    model::{DataType, Field},
    offline::{
        join::{Join, Side},
        view_source::ViewSource,
    },
    problem::Problem,
    sources::postgres::{Table, TableColumn},
};

/// A view's table, with the columns that the join reads.
pub(super) struct ServerSide<'a> {
    pub side: &'a Side<'a>,
    pub table: Arc<Table>,
    /// For each join key of the view its position among those of the join, and the column.
    pub keys: Vec<(usize, TableColumn)>,
    pub event: TableColumn,
    pub created: Option<TableColumn>,
    /// Those that are wanted.
    pub features: Vec<(&'a Field, TableColumn)>,
    /// All of the view, which decide between rows that are else alike.
    pub contents: Vec<TableColumn>,
}

impl<'a> ServerSide<'a> {
    /// The side over the table of a source, if the server can join it as feastr would.
    ///
    /// # Errors
    /// When the source lacks a column, or has it as something else.
    pub(super) fn of(join: &Join<'_>, side: &'a Side<'a>, source: &ViewSource<'_>) -> Result<Option<Self>, Problem> {
        let wanted: Vec<&'a Field> = side.features.iter().map(|feature| &side.view.features[*feature]).collect();
        source.scan_files(&wanted)?;
        let Some(table) = source.opened().as_table() else { return Ok(None) };
        let column = |name: &str| table.column(name).cloned();
        let of_field = |field: &Field| column(source.source().unmapped(&field.name));
        let key = |(field, position): (&Field, &usize)| {
            let column = of_field(field)?;
            is_joinable(&join.keys[*position].field.dtype, &column.kind).then_some((*position, column))
        };
        let keys: Option<Vec<_>> = side.view.join_keys().iter().zip(&side.keys).map(key).collect();
        let moments = |name: &str| column(name).filter(|column| is_moment(&column.kind));
        let created = source.source().created_column();
        let has_created = !created.is_empty();
        let (Some(keys), Some(event)) = (keys, moments(source.source().event_column())) else { return Ok(None) };
        let created = moments(created);
        if created.is_some() != has_created {
            return Ok(None);
        }
        let features: Option<Vec<_>> = wanted.into_iter().map(|field| Some((field, of_field(field)?))).collect();
        let contents = side.view.features.iter().filter_map(of_field).collect();
        let table = Arc::clone(table);
        Ok(features.map(|features| Self { side, table, keys, event, created, features, contents }))
    }
}

/// The type of a join key on the server; `None` where the server would compare otherwise than feastr does.
pub(super) const fn key_type(declared: &DataType) -> Option<&'static str> {
    match declared {
        DataType::Int32 | DataType::Int64 => Some("int8"),
        DataType::String => Some("text"),
        _ => None,
    }
}

fn is_joinable(declared: &DataType, column: &Type) -> bool {
    match key_type(declared) {
        Some("int8") => matches!(*column, Type::INT2 | Type::INT4 | Type::INT8),
        Some(_) => matches!(*column, Type::TEXT | Type::VARCHAR | Type::UUID),
        None => false,
    }
}

const fn is_moment(column: &Type) -> bool {
    matches!(*column, Type::TIMESTAMPTZ | Type::TIMESTAMP | Type::DATE)
}
