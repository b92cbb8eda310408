//! Feast's wire formats, and nowhere else: registry messages, values, entity keys, hashes and type
//! names, with their conversions to and from the model.

pub mod convert;
pub mod data_types;
pub mod encode;
pub mod entity_key;
pub mod expressions;
pub mod feature_hash;
pub mod messages;
pub mod project_name;
mod python_text;
pub mod registry_file;
pub mod registry_json;
pub mod unknown_fields;
pub mod value;
mod wire_fields;
