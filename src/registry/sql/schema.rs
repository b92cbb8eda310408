//! The tables of Feast's SQL registry (`feast/infra/registry/sql.py`).

use crate::model::ObjectKind;

/// A column type, which each database spells its own way.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ColumnType {
    /// Text of at most this many characters.
    Varchar(u16),
    /// Text of up to 64 KiB.
    Text,
    /// Longer text.
    LongText,
    Integer,
    BigInt,
    Blob,
}

/// A table with its columns in order.
pub(crate) struct Table {
    pub name: &'static str,
    pub columns: &'static [Column],
    pub primary_key: &'static [&'static str],
    pub index: Index,
}

/// An index of a table, which need not be unique.
pub(crate) struct Index {
    pub name: &'static str,
    pub columns: &'static [&'static str],
}

/// Feast's index of all tables.
const fn on_project(name: &'static str) -> Index {
    Index { name, columns: &["project_id"] }
}

pub(crate) struct Column {
    pub name: &'static str,
    pub kind: ColumnType,
    pub nullable: bool,
}

const NAME: ColumnType = ColumnType::Varchar(255);

const fn required(name: &'static str, kind: ColumnType) -> Column {
    Column { name, kind, nullable: false }
}

const fn optional(name: &'static str, kind: ColumnType) -> Column {
    Column { name, kind, nullable: true }
}

/// A table of objects: name, project, last update, message.
macro_rules! object_table {
    ($table:literal, $name:literal, $proto:literal, $index:literal $(, $extra:expr)*) => {
        Table {
            name: $table,
            columns: &[
                required($name, NAME),
                required("project_id", NAME),
                required("last_updated_timestamp", ColumnType::BigInt),
                required($proto, ColumnType::Blob),
                $($extra,)*
            ],
            primary_key: &[$name, "project_id"],
            index: on_project($index),
        }
    };
}

/// Every table of Feast's registry.
pub(crate) const TABLES: [Table; 14] = [
    Table {
        name: "projects",
        columns: &[
            required("project_id", NAME),
            required("project_name", NAME),
            required("last_updated_timestamp", ColumnType::BigInt),
            required("project_proto", ColumnType::Blob),
        ],
        primary_key: &["project_id"],
        index: on_project("idx_projects_project_id"),
    },
    object_table!("entities", "entity_name", "entity_proto", "idx_entities_project_id"),
    object_table!("data_sources", "data_source_name", "data_source_proto", "idx_data_sources_project_id"),
    Table {
        name: "feature_views",
        columns: &[
            required("feature_view_name", NAME),
            required("project_id", NAME),
            required("last_updated_timestamp", ColumnType::BigInt),
            // Always NULL: Feast keeps the intervals in the message.
            optional("materialized_intervals", ColumnType::Blob),
            required("feature_view_proto", ColumnType::Blob),
            optional("user_metadata", ColumnType::Blob),
        ],
        primary_key: &["feature_view_name", "project_id"],
        index: on_project("idx_feature_views_project_id"),
    },
    object_table!(
        "stream_feature_views",
        "feature_view_name",
        "feature_view_proto",
        "idx_stream_feature_views_project_id",
        optional("user_metadata", ColumnType::Blob)
    ),
    object_table!(
        "on_demand_feature_views",
        "feature_view_name",
        "feature_view_proto",
        "idx_on_demand_feature_views_project_id",
        optional("user_metadata", ColumnType::Blob)
    ),
    object_table!(
        "label_views",
        "feature_view_name",
        "feature_view_proto",
        "idx_label_views_project_id",
        optional("user_metadata", ColumnType::Blob)
    ),
    object_table!(
        "feature_services",
        "feature_service_name",
        "feature_service_proto",
        "idx_feature_services_project_id"
    ),
    object_table!("saved_datasets", "saved_dataset_name", "saved_dataset_proto", "idx_saved_datasets_project_id"),
    object_table!(
        "validation_references",
        "validation_reference_name",
        "validation_reference_proto",
        "idx_validation_references_project_id"
    ),
    object_table!("permissions", "permission_name", "permission_proto", "idx_permissions_project_id"),
    object_table!("managed_infra", "infra_name", "infra_proto", "idx_managed_infra_project_id"),
    Table {
        name: "feature_view_version_history",
        columns: &[
            required("feature_view_name", NAME),
            required("project_id", NAME),
            required("version_number", ColumnType::Integer),
            required("feature_view_type", ColumnType::Varchar(50)),
            required("feature_view_proto", ColumnType::Blob),
            required("created_timestamp", ColumnType::BigInt),
            optional("description", ColumnType::Text),
            required("version_id", ColumnType::Varchar(36)),
        ],
        primary_key: &["feature_view_name", "project_id", "version_number"],
        index: on_project("idx_fv_version_history_project_id"),
    },
    Table {
        name: "feast_metadata",
        columns: &[
            required("project_id", NAME),
            required("metadata_key", ColumnType::Varchar(50)),
            required("metadata_value", ColumnType::Text),
            required("last_updated_timestamp", ColumnType::BigInt),
        ],
        primary_key: &["project_id", "metadata_key"],
        index: on_project("idx_feast_metadata_project_id"),
    },
];

/// The history of materializations, a row for each run of a view: feastr's own table, which Feast does not know.
pub(crate) const RUNS: Table = Table {
    name: "feastr_runs",
    columns: &[
        required("run_id", ColumnType::Varchar(36)),
        required("project_id", NAME),
        required("feature_view_name", NAME),
        // Microseconds since 1970.
        required("started", ColumnType::BigInt),
        // JSON.
        required("record", ColumnType::Text),
    ],
    primary_key: &["run_id"],
    index: Index { name: "idx_feastr_runs_view", columns: &["project_id", "feature_view_name", "started"] },
};

/// The log of changes: feastr's own table, which Feast does not know. Nothing is removed from it.
pub(crate) const CHANGES: Table = Table {
    name: "feastr_changes",
    columns: &[
        required("change_id", ColumnType::Varchar(36)),
        required("project_id", NAME),
        // Microseconds since 1970.
        required("changed", ColumnType::BigInt),
        // JSON.
        required("record", ColumnType::LongText),
    ],
    primary_key: &["change_id"],
    index: Index { name: "idx_feastr_changes_project", columns: &["project_id", "changed"] },
};

/// Where objects of a kind are: table, name column, message column.
pub(crate) struct ObjectTable {
    pub table: &'static str,
    pub name: &'static str,
    pub proto: &'static str,
}

/// The table of a kind.
pub(crate) const fn object_table(kind: ObjectKind) -> ObjectTable {
    let (table, name, proto) = match kind {
        ObjectKind::Project => ("projects", "project_name", "project_proto"),
        ObjectKind::DataSource => ("data_sources", "data_source_name", "data_source_proto"),
        ObjectKind::Entity => ("entities", "entity_name", "entity_proto"),
        ObjectKind::FeatureView => ("feature_views", "feature_view_name", "feature_view_proto"),
        ObjectKind::OnDemandFeatureView => ("on_demand_feature_views", "feature_view_name", "feature_view_proto"),
        ObjectKind::StreamFeatureView => ("stream_feature_views", "feature_view_name", "feature_view_proto"),
        ObjectKind::LabelView => ("label_views", "feature_view_name", "feature_view_proto"),
        ObjectKind::FeatureService => ("feature_services", "feature_service_name", "feature_service_proto"),
        ObjectKind::Permission => ("permissions", "permission_name", "permission_proto"),
        ObjectKind::SavedDataset => ("saved_datasets", "saved_dataset_name", "saved_dataset_proto"),
        ObjectKind::ValidationReference => {
            ("validation_references", "validation_reference_name", "validation_reference_proto")
        }
    };
    ObjectTable { table, name, proto }
}

/// Name of the only row of `managed_infra` of a project.
pub(crate) const INFRA_NAME: &str = "infra_obj";
