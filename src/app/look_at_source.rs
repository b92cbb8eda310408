//! Data sources that somebody describes: whether they can be read, and which columns they have.

use super::{Caller, Failure, FeatureStore, access::Access};
use crate::{
    feast::values::type_text,
    model::{DataSource, Object, PermissionAction},
    problem::{Kind, Problem},
};

/// A column of a source, as its files or its table have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceColumn {
    /// Its name.
    pub name: String,
    /// Its type, as Feast writes that of a file's column.
    pub kind: String,
}

/// The columns of a source, which need not be registered: who may create it may look at it.
///
/// # Errors
/// When the caller may not, or the source cannot be read.
pub fn columns(store: &FeatureStore, caller: &Caller, source: &DataSource) -> Result<Vec<SourceColumn>, Failure> {
    check(store, caller, source)?;
    let opened = store.offline().inspect(source.kind.batch_source().unwrap_or(source))?;
    let columns = &opened.columns().columns;
    let column = |column: &crate::sources::Column| SourceColumn {
        name: column.name.clone(),
        kind: type_text(column.field().data_type()),
    };
    Ok(columns.iter().map(column).collect())
}

/// Whether a source, which need not be registered, can be read and has the columns that it names.
///
/// # Errors
/// What is wrong with it.
pub fn validate(store: &FeatureStore, caller: &Caller, source: &DataSource) -> Result<(), Failure> {
    let columns = columns(store, caller, source)?;
    let source = source.kind.batch_source().unwrap_or(source);
    let named = [source.event_column(), source.created_column()].into_iter().filter(|name| !name.is_empty());
    for name in named {
        if !columns.iter().any(|column| column.name == name) {
            let message = format!("data source `{}` has no column `{name}`", source.name);
            return Err(Problem::new(Kind::Invalid, message, None).into());
        }
    }
    Ok(())
}

/// A source that is registered under its name says where it is; else it could be of anybody's files.
fn check(store: &FeatureStore, caller: &Caller, source: &DataSource) -> Result<(), Problem> {
    let state = store.registered()?;
    let access = Access::of(store, caller, &state);
    let object = Object::DataSource(source.clone());
    access.check(&[PermissionAction::ReadOffline], [&object])?;
    let registered = state.objects.get(&object.id());
    let is_same = matches!(registered, Some(Object::DataSource(known)) if known.kind == source.kind);
    if is_same { Ok(()) } else { access.check(&[PermissionAction::Create], [&object]) }
}
