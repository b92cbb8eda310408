//! Registry objects as Feast stores them, with their conversions to and from the model.

pub mod convert;
pub mod dump_json;
pub mod file;
pub mod messages;
pub mod python;
pub mod rename_project;
pub mod unknown_fields;
