//! Recorded bytes of entity keys, hash fields and values.

use feastr::feast::values::{
    entity_key::{self, EntityKey, EntityKeyEncoder, EntityKeyError, KeyPart},
    feature_hash::feature_field,
    value::{Kind, Value},
};
use prost::Message;
use serde_json::{Value as Json, json};

use super::registry_rows::{golden_root, read_json};

/// Reads a file of the recordings.
pub fn golden(path: &str) -> Json {
    read_json(&golden_root().join(path))
}

pub fn from_hex(hex: &Json) -> Vec<u8> {
    let digits = hex.as_str().unwrap().as_bytes();
    digits.chunks(2).map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()).collect()
}

pub fn array(json: &Json) -> &Vec<Json> {
    json.as_array().unwrap()
}

/// The vectors of a recording, of which there is at least one.
fn vectors(json: &Json) -> &Vec<Json> {
    let vectors = array(json);
    assert!(!vectors.is_empty());
    vectors
}

pub fn text(json: &Json) -> &str {
    json.as_str().unwrap()
}

/// The bytes of the recorded values, of every type.
pub fn every_value() -> Vec<Vec<u8>> {
    array(&golden("vectors/values.json")).iter().map(|vector| from_hex(&vector["hex"])).collect()
}

fn texts(json: &Json) -> Vec<&str> {
    array(json).iter().map(text).collect()
}

/// A join key value from `{"int64_val": "1"}` and the like.
fn join_key_value(json: &Json) -> Value {
    let (field, value) = json.as_object().unwrap().iter().next().unwrap();
    let number = || text(value).parse::<i64>().unwrap();
    let kind = match field.as_str() {
        "string_val" => Kind::String(text(value).to_owned()),
        "bytes_val" => Kind::Bytes(from_hex(&value["hex"])),
        "int32_val" => Kind::Int32(number().try_into().unwrap()),
        "int64_val" => Kind::Int64(number()),
        "unix_timestamp_val" => Kind::UnixTimestamp(number()),
        other => panic!("{other}"),
    };
    kind.into()
}

#[test]
fn entity_keys() {
    let golden = golden("vectors/entity_keys.json");
    assert_eq!(golden["serialization_version"], 3);
    for vector in vectors(&golden["vectors"]) {
        let join_keys = texts(&vector["join_keys"]);
        let values: Vec<Value> = array(&vector["values"]).iter().map(join_key_value).collect();
        let parts: Vec<KeyPart> = values.iter().map(|value| KeyPart::from_value(value).unwrap()).collect();
        let encoder = EntityKeyEncoder::new(&join_keys).unwrap();

        let mut key = Vec::new();
        encoder.encode(&parts, &mut key).unwrap();
        assert_eq!(key, from_hex(&vector["hex"]), "{vector}");
        assert!(key.starts_with(encoder.prefix()));

        let pairs = entity_key::decode(&key).unwrap();
        let (names, sorted): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        assert_eq!(names, texts(&vector["deserialized_join_keys"]), "{vector}");
        let mut again = Vec::new();
        EntityKeyEncoder::new(&names).unwrap().encode(&sorted, &mut again).unwrap();
        assert_eq!(again, key, "{vector}");

        let message = EntityKey {
            join_keys: join_keys.iter().map(|name| name.to_string()).collect(),
            entity_values: values.clone(),
        };
        let bytes = from_hex(&vector["entity_key_proto_hex"]);
        assert_eq!(message.encode_to_vec(), bytes, "{vector}");
        assert_eq!(EntityKey::decode(&bytes[..]).unwrap(), message);
    }
}

#[test]
fn refused_join_keys() {
    for refused in vectors(&golden("vectors/entity_keys.json")["refused"]) {
        let kind = match refused["field"].as_str() {
            Some("double_val") => Some(Kind::Double(1.5)),
            Some("float_val") => Some(Kind::Float(1.5)),
            Some("bool_val") => Some(Kind::Bool(true)),
            Some("uuid_val") => Some(Kind::Uuid("00000000-0000-0000-0000-000000000001".to_owned())),
            Some("decimal_val") => Some(Kind::Decimal("1.0".to_owned())),
            Some("duplicate join key") => {
                assert!(matches!(EntityKeyEncoder::new(&["k", "k"]), Err(EntityKeyError::DuplicateJoinKey(_))));
                continue;
            }
            None => None,
            Some(other) => panic!("{other}"),
        };
        let value = Value { kind };
        assert!(matches!(KeyPart::from_value(&value), Err(EntityKeyError::UnsupportedValue(_))), "{refused}");
    }
}

#[test]
fn entity_key_prefixes() {
    for prefix in vectors(&golden("vectors/entity_keys.json")["prefixes"]) {
        let encoder = EntityKeyEncoder::new(&texts(&prefix["join_keys"])).unwrap();
        assert_eq!(encoder.prefix(), from_hex(&prefix["hex"]), "{prefix}");
    }
}

#[test]
fn feature_hashes() {
    for vector in vectors(&golden("vectors/feature_hash.json")["vectors"]) {
        let (view, feature) = text(&vector["text"]).split_once(':').unwrap();
        assert_eq!(feature_field(view, feature).to_vec(), from_hex(&vector["hex"]), "{vector}");
    }
}

#[test]
fn values() {
    for vector in vectors(&golden("vectors/values.json")) {
        let bytes = from_hex(&vector["hex"]);
        let value = Value::decode(&bytes[..]).unwrap();
        assert_eq!(value.encode_to_vec(), bytes, "{vector}");
        assert_eq!(value.to_json(), served(&vector["json"]), "{vector}");
    }
}

/// What a server answers for a value in protobuf's own JSON form, such as `{"int64_val": "1"}`.
pub fn served(json: &Json) -> Json {
    let Some((field, value)) = json.as_object().unwrap().iter().next() else { return Json::Null };
    match field.as_str() {
        "null_val" => Json::Null,
        "list_val" | "set_val" => items(value).iter().map(served).collect(),
        "map_val" | "struct_val" => served_map(value),
        "map_list_val" | "struct_list_val" => items(value).iter().map(served_map).collect(),
        "zoned_timestamp_val" => {
            // The recorded zone is a named one, which is shown in UTC.
            assert!(text(&value["zone"]).contains('/'), "{value}");
            let seconds = text(&value["unix_timestamp"]).parse().unwrap();
            json!(chrono::DateTime::from_timestamp(seconds, 0).unwrap().to_rfc3339())
        }
        list if list.ends_with("_list_val") || list.ends_with("_set_val") => {
            items(value).iter().map(|item| served_scalar(list, item)).collect()
        }
        scalar => served_scalar(scalar, value),
    }
}

/// Empty lists are left out of the JSON form.
fn items(list: &Json) -> &[Json] {
    list["val"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn served_map(map: &Json) -> Json {
    let entries = map["val"].as_object().into_iter().flatten();
    Json::Object(entries.map(|(key, value)| (key.clone(), served(value))).collect())
}

fn served_scalar(field: &str, value: &Json) -> Json {
    match value {
        Json::String(digits) if field.starts_with("int64") || field.starts_with("unix_timestamp") => {
            json!(digits.parse::<i64>().unwrap())
        }
        // Protobuf prints as many digits as a float needs, a server those of the double it is.
        Json::Number(number) if field.starts_with("float") => {
            json!(f64::from(number.to_string().parse::<f32>().unwrap()))
        }
        Json::Number(number) if field.starts_with("double") => json!(number.to_string().parse::<f64>().unwrap()),
        other => other.clone(),
    }
}

#[test]
fn every_kind_of_value_is_known() {
    let descriptors = golden("protos/descriptors.json");
    let fields = array(&descriptors["messages"]["feast.types.Value"]["fields"]);
    assert_eq!(fields.len(), 44);
    for field in fields {
        let number = field["number"].as_u64().unwrap();
        let (wire_type, content): (u64, &[u8]) = match text(&field["type"]) {
            "int32" | "int64" | "bool" | "enum" => (0, &[0]),
            "double" => (1, &[0; 8]),
            "float" => (5, &[0; 4]),
            "string" | "bytes" | "message" => (2, &[0]),
            other => panic!("{other}"),
        };
        let mut bytes = Vec::new();
        prost::encode_length_delimiter((number << 3 | wire_type) as usize, &mut bytes).unwrap();
        bytes.extend_from_slice(content);
        let value = Value::decode(&bytes[..]).unwrap();
        assert!(value.kind.is_some(), "{field}");
        assert_eq!(value.encode_to_vec(), bytes, "{field}");
    }
}
