//! Registry objects as Feast stores them.
//!
//! Everybody else asks about the bytes of an object here, by its kind: what it is ([`Stored`]), what it says of
//! itself ([`Card`]) and uses ([`uses`]), where its values are ([`layout`]), and what they are after a change ([`write`]).

mod about;
mod card;
mod convert;
pub mod dump_json;
mod fields;
pub mod file;
mod infra;
mod json;
mod layout;
mod listed;
#[expect(missing_docs, reason = "fields carry Feast's names")]
pub mod messages;
mod project_field;
mod python;
mod python_view;
pub mod rename_project;
mod sent;
mod stored;
mod stored_version;
mod unknown_fields;
mod uses;
mod write;

pub use about::{About, about};
pub use card::{Card, Link, SourcePart};
pub use convert::{RowVersion, SourceRows, Unmanaged, is_same_version};
pub use infra::{online_tables, with_online_tables};
pub use json::{data_source_json, data_source_of, to_json};
pub use layout::{Layout, features, layout};
pub use listed::{Computed, Listed, ListedView};
pub use messages::DecodeError;
pub use project_field::with_project;
pub use python_view::{python_function, without_function};
pub use sent::{Sending, is_same_object, last_updated, stored_of_sent};
pub use stored::Stored;
pub use stored_version::{is_same_stored_version, sent_version};
pub use unknown_fields::UnknownFieldsLost;
pub use uses::{Uses, uses};
pub use write::{Change, WriteError, event_range, materialized_since, with_event_range, with_interval, write};
