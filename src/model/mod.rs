//! What a feature repo is made of, as plain values: no I/O, no file positions, no wire formats.
//!
//! Both sides of a plan are built from these types: the definitions a person wrote and the
//! objects a registry holds. Comparing the two is therefore comparing values.

mod data_source;
mod data_type;
mod entity;
mod feature_service;
mod feature_view;
mod field;
mod object;
mod online_tables;
mod repo;
mod source_schema;
mod time;

pub use data_source::{DataSource, FileFormat, FileSource, SourceKind};
pub use data_type::DataType;
pub use entity::{DUMMY_ENTITY, DUMMY_JOIN_KEY, Entity};
pub use feature_service::{FeatureService, LogDestination, LoggingConfig, Projection};
pub use feature_view::FeatureView;
pub use field::{Field, VectorIndex};
pub use object::{Object, ObjectId, ObjectKind};
pub use online_tables::OnlineTables;
pub use repo::{ForeignObject, MaterializedView, Project, RegistryState, Repo};
pub use source_schema::{SourceColumn, SourceProblem, SourceSchema};
pub use time::{Interval, ParseTimeError, Timestamp, Ttl};

/// Free key-value labels, sorted by key.
pub type Tags = std::collections::BTreeMap<String, String>;
