//! Feast's own description of its messages: the recorded descriptors.

use std::fs;

use serde_json::{Map, Value, json};

use super::registry_rows::golden_root;

/// Names, numbers and types of all fields of all messages.
pub struct Descriptors(Value);

impl Descriptors {
    pub fn read() -> Self {
        let path = golden_root().join("protos/descriptors.json");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(serde_json::from_str(&text).unwrap())
    }

    /// JSON of a message recorded with original field names, turned into standard JSON names.
    pub fn standard_names(&self, message: &str, recorded: &Value) -> Value {
        let Some(fields) = self.fields(message) else { return recorded.clone() };
        let mut object = Map::new();
        for (name, value) in recorded.as_object().unwrap() {
            let field =
                fields.iter().find(|field| field["name"] == *name).unwrap_or_else(|| panic!("{message}.{name}"));
            let value = match (map_value(field), value) {
                (Some(inner), Value::Object(entries)) => {
                    entries.iter().map(|(key, value)| (key.clone(), self.standard_names(inner, value))).collect()
                }
                (None, Value::Array(values)) => {
                    values.iter().map(|value| self.standard_names(kind(field), value)).collect()
                }
                (_, value) => self.standard_names(kind(field), value),
            };
            object.insert(standard_name(name), value);
        }
        object.into()
    }

    /// The encoding and the JSON of a message in which every field is set, also those that exclude
    /// each other. `round` selects the values of enumerations; messages in themselves are empty.
    pub fn sample(&self, message: &str, round: usize) -> (Vec<u8>, Value) {
        self.sample_within(message, round, &mut Vec::new())
    }

    fn sample_within(&self, message: &str, round: usize, outer: &mut Vec<String>) -> (Vec<u8>, Value) {
        match message {
            "google.protobuf.Timestamp" => return (vec![0x08, 1, 0x10, 100], json!("1970-01-01T00:00:01.000000100Z")),
            "google.protobuf.Duration" => return (vec![0x08, 90], json!("90s")),
            "google.protobuf.StringValue" => return (vec![0x0a, 2, b'h', b'i'], json!("hi")),
            _ if outer.iter().any(|name| name == message) => return (vec![], json!({})),
            _ => outer.push(message.to_owned()),
        }
        let mut fields: Vec<&Value> = self.fields(message).unwrap().iter().collect();
        fields.sort_by_key(|field| field["number"].as_u64());
        let (mut bytes, mut object) = (Vec::new(), Map::new());
        for field in fields.into_iter().filter(|field| kind(field) != "feast.core.FeatureTable") {
            let name = field["name"].as_str().unwrap();
            let number = field["number"].as_u64().unwrap();
            let (payloads, value) = match map_value(field) {
                Some(inner) => self.sample_map(inner, round, outer),
                None => self.sample_field(field, name, round, outer),
            };
            for (wire_type, payload) in &payloads {
                put_varint(number << 3 | wire_type, &mut bytes);
                if *wire_type == 2 {
                    put_varint(payload.len() as u64, &mut bytes);
                }
                bytes.extend(payload);
            }
            if !payloads.is_empty() {
                object.insert(standard_name(name), value);
            }
        }
        outer.pop();
        (bytes, object.into())
    }

    /// The values of a field that is not a map, each with its wire type.
    fn sample_field(
        &self,
        field: &Value,
        name: &str,
        round: usize,
        outer: &mut Vec<String>,
    ) -> (Vec<(u64, Vec<u8>)>, Value) {
        let repeated = field["repeated"] == true;
        let list = |value: Value| if repeated { json!([value]) } else { value };
        match (kind(field), field["type"].as_str().unwrap()) {
            (enumeration, "enum") => {
                let values = self.0["enums"][enumeration].as_object().unwrap();
                if repeated {
                    let packed = values.values().flat_map(|number| varint(number.as_u64().unwrap())).collect();
                    return (vec![(2, packed)], values.keys().cloned().collect());
                }
                let (name, number) = values.iter().nth(round % values.len()).unwrap();
                match number.as_u64().unwrap() {
                    0 => (vec![], Value::Null),
                    number => (vec![(0, varint(number))], json!(name)),
                }
            }
            (message, "message") => {
                let (bytes, value) = self.sample_within(message, round, outer);
                (vec![(2, bytes)], list(value))
            }
            (_, "string") => (vec![(2, name.into())], list(json!(name))),
            (_, "bytes") => (vec![(2, vec![0xff; 2])], json!("//8=")),
            (_, "bool") => (vec![(0, vec![1])], json!(true)),
            (_, "int32") => (vec![(0, varint(300))], json!(300)),
            (_, "uint64") => (vec![(0, varint(u64::MAX))], json!(u64::MAX.to_string())),
            (_, "float") => (vec![(5, 0.1_f32.to_le_bytes().to_vec())], json!(0.1)),
            other => panic!("{name}: {other:?}"),
        }
    }

    /// Two entries in descending order, the second of them as empty as it can be.
    fn sample_map(&self, value: &str, round: usize, outer: &mut Vec<String>) -> (Vec<(u64, Vec<u8>)>, Value) {
        let (full, full_json, empty, empty_json) = match value {
            "string" => (vec![0x12, 1, b'x'], json!("x"), vec![0x12, 0], json!("")),
            "feast.types.ValueType.Enum" => (vec![0x10, 4], json!("INT64"), vec![0x10, 0], json!("INVALID")),
            message => {
                let (bytes, value) = self.sample_within(message, round, outer);
                let length = varint(bytes.len() as u64);
                ([vec![0x12], length, bytes].concat(), value, vec![0x12, 0], json!({}))
            }
        };
        let entry = |key: u8, value: Vec<u8>| (2, [vec![0x0a, 1, key], value].concat());
        (vec![entry(b'z', full), entry(b'a', empty)], json!({"a": empty_json, "z": full_json}))
    }

    /// The fields of a message of Feast; `None` for scalars and Google's messages.
    fn fields(&self, message: &str) -> Option<&Vec<Value>> {
        self.0["messages"].get(message)?["fields"].as_array()
    }

    /// The most values any enumeration has: the rounds in which samples show every value.
    pub fn rounds(&self) -> usize {
        self.0["enums"].as_object().unwrap().values().map(|values| values.as_object().unwrap().len()).max().unwrap()
    }
}

/// The message or enumeration of a field, or its scalar type.
fn kind(field: &Value) -> &str {
    ["message", "enum", "type"].iter().find_map(|key| field[key].as_str()).unwrap()
}

/// The type of the values of a map field.
fn map_value(field: &Value) -> Option<&str> {
    field["type"].as_str()?.strip_prefix("map<string,")?.strip_suffix('>')
}

/// The JSON name of a field: `camelCase`.
fn standard_name(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

fn varint(value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_varint(value, &mut bytes);
    bytes
}

fn put_varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
