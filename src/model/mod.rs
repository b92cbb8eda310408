//! What a feature repo is made of, as plain values: no I/O, no file positions, no wire formats.
//!
//! Both sides of a plan are built from these types: the definitions a person wrote and the
//! objects a registry holds. Comparing the two is therefore comparing values.

mod aggregation;
mod change_record;
mod checks;
mod data_source;
mod data_type;
mod entity;
mod feature_service;
mod feature_view;
mod field;
mod label_view;
mod object;
mod on_demand_feature_view;
mod online_tables;
mod permission;
mod printable;
mod project;
mod python_function;
mod repo;
mod run;
#[cfg(test)]
pub(crate) mod samples;
mod saved_dataset;
mod sharded_run;
mod stream_feature_view;
mod tags;
mod time;
mod transformation;
mod unordered_fields;
mod view;
mod view_id;
mod view_version;

pub use aggregation::Aggregation;
pub use change_record::{Author, ChangeKind, ChangeRecord, LONGEST_PLAN, ObjectChange};
pub use checks::{Checks, FutureRows, NullKeys, OutOfRange};
pub use data_source::{
    CustomSource, DataSource, FileFormat, FileSource, KafkaSource, KinesisSource, PostgresSource, PushSource,
    RequestSource, SourceKind, SparkSource, StreamFormat, TableVersion, Warehouse, WarehouseSource,
};
pub use data_type::DataType;
pub use entity::{DUMMY_ENTITY, DUMMY_JOIN_KEY, Entity};
pub use feature_service::{FeatureService, LogDestination, LoggingConfig, Projection};
pub use feature_view::FeatureView;
pub use field::{Field, VectorIndex};
pub use label_view::{ConflictPolicy, LabelView};
pub use object::{Object, ObjectId, ObjectKind, OfKind};
pub use on_demand_feature_view::{Expression, OnDemandFeatureView, OnDemandSource};
pub use online_tables::OnlineTables;
pub use permission::{Permission, PermissionAction, PermissionType, Policy};
pub use printable::printable;
pub use project::Project;
pub use python_function::{PythonFunction, PythonMode};
pub use repo::{ForeignObject, MaterializedView, Place, RegistryState, Repo, Use};
pub use run::{RunCounts, RunRecord, RunState, ShardsDone};
pub use saved_dataset::{DatasetStorage, SavedDataset, ValidationReference};

pub use sharded_run::{ShardCounts, ShardedRun};
pub use stream_feature_view::StreamFeatureView;
pub use tags::{
    AGGREGATIONS_TAG, CHECKS_TAG, CONNECTION_PREFIX, DELIMITER_TAG, DELTA_TIMESTAMP_TAG, DELTA_VERSION_TAG,
    FILE_FORMAT_TAG, HIDDEN_PROJECT_TAG, PROTECT_TAG, RENAMED_FROM_TAG, SQL_TAG, TIMESTAMP_FORMAT_TAG, Tags,
};
pub(crate) use time::DAY;
pub use time::{Interval, ParseTimeError, Timestamp, Ttl};
pub use transformation::{Reach, Transformation, TransformationPart};
pub use unordered_fields::UnorderedFields;
pub use view::{NamedView, Values, View};
pub use view_id::ViewId;
pub use view_version::{ParseVersionError, ViewVersion};
