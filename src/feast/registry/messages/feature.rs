use super::{
    MapEntry,
    json::{enums, map, messages, name_of},
};

messages! {
    /// `feast.core.FeatureSpecV2`: a column of a view.
    pub struct FeatureSpecV2 {
        #[prost(string, tag = "1")]
        pub name: String,
        /// A [`ValueTypeEnum`], or a number that Feast writes without having a name for it: 30 for
        /// PDF bytes, 31 for image bytes.
        #[prost(enumeration = "ValueTypeEnum", tag = "2")]
        #[serde(serialize_with = "name_of::<ValueTypeEnum, _>")]
        pub value_type: i32,
        /// Also holds what the type number cannot say: `feast:struct_schema`, `feast:nested_inner_type`.
        #[prost(message, repeated, tag = "3")]
        #[serde(serialize_with = "map")]
        pub tags: Vec<MapEntry>,
        #[prost(string, tag = "4")]
        pub description: String,
        #[prost(bool, tag = "5")]
        pub vector_index: bool,
        #[prost(string, tag = "6")]
        pub vector_search_metric: String,
        /// Number of elements of each vector.
        #[prost(int32, tag = "7")]
        pub vector_length: i32,
    }
}

enums! {
    /// `feast.types.ValueType.Enum`.
    pub enum ValueTypeEnum {
        Invalid = 0 => "INVALID",
        Bytes = 1 => "BYTES",
        String = 2 => "STRING",
        Int32 = 3 => "INT32",
        Int64 = 4 => "INT64",
        Double = 5 => "DOUBLE",
        Float = 6 => "FLOAT",
        Bool = 7 => "BOOL",
        UnixTimestamp = 8 => "UNIX_TIMESTAMP",
        BytesList = 11 => "BYTES_LIST",
        StringList = 12 => "STRING_LIST",
        Int32List = 13 => "INT32_LIST",
        Int64List = 14 => "INT64_LIST",
        DoubleList = 15 => "DOUBLE_LIST",
        FloatList = 16 => "FLOAT_LIST",
        BoolList = 17 => "BOOL_LIST",
        UnixTimestampList = 18 => "UNIX_TIMESTAMP_LIST",
        Null = 19 => "NULL",
        Map = 20 => "MAP",
        MapList = 21 => "MAP_LIST",
        BytesSet = 22 => "BYTES_SET",
        StringSet = 23 => "STRING_SET",
        Int32Set = 24 => "INT32_SET",
        Int64Set = 25 => "INT64_SET",
        DoubleSet = 26 => "DOUBLE_SET",
        FloatSet = 27 => "FLOAT_SET",
        BoolSet = 28 => "BOOL_SET",
        UnixTimestampSet = 29 => "UNIX_TIMESTAMP_SET",
        Json = 32 => "JSON",
        JsonList = 33 => "JSON_LIST",
        Struct = 34 => "STRUCT",
        StructList = 35 => "STRUCT_LIST",
        Uuid = 36 => "UUID",
        TimeUuid = 37 => "TIME_UUID",
        UuidList = 38 => "UUID_LIST",
        TimeUuidList = 39 => "TIME_UUID_LIST",
        UuidSet = 40 => "UUID_SET",
        TimeUuidSet = 41 => "TIME_UUID_SET",
        ValueList = 42 => "VALUE_LIST",
        ValueSet = 43 => "VALUE_SET",
        Decimal = 44 => "DECIMAL",
        DecimalList = 45 => "DECIMAL_LIST",
        DecimalSet = 46 => "DECIMAL_SET",
        ScalarMap = 47 => "SCALAR_MAP",
        ZonedTimestamp = 48 => "ZONED_TIMESTAMP",
    }
}
