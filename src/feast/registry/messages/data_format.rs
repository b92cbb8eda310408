use super::{
    MapEntry,
    json::{map, messages, text},
};

messages! {
    /// `feast.core.FileFormat`: at most one field is set.
    pub struct FileFormat {
        #[prost(message, optional, tag = "1")]
        pub parquet_format: Option<ParquetFormat>,
        #[prost(message, optional, tag = "2")]
        pub delta_format: Option<DeltaFormat>,
    }

    /// `feast.core.FileFormat.ParquetFormat`.
    pub struct ParquetFormat {}

    /// `feast.core.StreamFormat`: at most one field is set.
    pub struct StreamFormat {
        #[prost(message, optional, tag = "1")]
        pub avro_format: Option<AvroFormat>,
        #[prost(message, optional, tag = "2")]
        pub proto_format: Option<ProtoFormat>,
        #[prost(message, optional, tag = "3")]
        pub json_format: Option<JsonFormat>,
    }

    /// `feast.core.StreamFormat.AvroFormat`.
    pub struct AvroFormat {
        #[prost(string, tag = "1")]
        pub schema_json: String,
    }

    /// `feast.core.StreamFormat.ProtoFormat`.
    pub struct ProtoFormat {
        #[prost(string, tag = "1")]
        pub class_path: String,
    }

    /// `feast.core.StreamFormat.JsonFormat`.
    pub struct JsonFormat {
        #[prost(string, tag = "1")]
        pub schema_json: String,
    }

    /// `feast.core.TableFormat`: at most one field is set.
    pub struct TableFormat {
        #[prost(message, optional, tag = "1")]
        pub iceberg_format: Option<IcebergFormat>,
        #[prost(message, optional, tag = "2")]
        pub delta_format: Option<DeltaFormat>,
        #[prost(message, optional, tag = "3")]
        pub hudi_format: Option<HudiFormat>,
        #[prost(message, optional, tag = "4")]
        pub lance_format: Option<LanceFormat>,
    }

    /// `feast.core.TableFormat.IcebergFormat`.
    pub struct IcebergFormat {
        #[prost(string, tag = "1")]
        pub catalog: String,
        #[prost(string, tag = "2")]
        pub namespace: String,
        #[prost(message, repeated, tag = "3")]
        #[serde(serialize_with = "map")]
        pub properties: Vec<MapEntry>,
    }

    /// `feast.core.TableFormat.DeltaFormat`.
    pub struct DeltaFormat {
        #[prost(string, tag = "1")]
        pub checkpoint_location: String,
        #[prost(message, repeated, tag = "2")]
        #[serde(serialize_with = "map")]
        pub properties: Vec<MapEntry>,
    }

    /// `feast.core.TableFormat.HudiFormat`.
    pub struct HudiFormat {
        #[prost(string, tag = "1")]
        pub table_type: String,
        #[prost(string, tag = "2")]
        pub record_key: String,
        #[prost(string, tag = "3")]
        pub precombine_field: String,
        #[prost(message, repeated, tag = "4")]
        #[serde(serialize_with = "map")]
        pub properties: Vec<MapEntry>,
    }

    /// `feast.core.TableFormat.LanceFormat`.
    pub struct LanceFormat {
        #[prost(string, tag = "1")]
        pub catalog: String,
        #[prost(string, tag = "2")]
        pub namespace: String,
        #[prost(uint64, tag = "3")]
        #[serde(serialize_with = "text")]
        pub version: u64,
        #[prost(string, tag = "4")]
        pub tag: String,
        #[prost(message, repeated, tag = "5")]
        #[serde(serialize_with = "map")]
        pub properties: Vec<MapEntry>,
    }
}
