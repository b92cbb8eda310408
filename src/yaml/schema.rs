use serde_json::{Map, Value, json};

use super::{
    read::Read,
    record::{Record, plain},
};

/// The named parts of a JSON Schema (draft 2020-12), each described once.
#[derive(Debug, Default)]
pub struct Schemas {
    definitions: Map<String, Value>,
}

/// The keys of a mapping, while they are being described.
#[derive(Debug, Default)]
pub struct ObjectSchema {
    properties: Map<String, Value>,
    required: Vec<&'static str>,
}

/// The JSON Schema of a file that holds a `T`.
pub fn schema_of<T: Record>(title: &str) -> Value {
    let mut schemas = Schemas::default();
    let mut object = ObjectSchema::default();
    T::describe(&mut object, &mut schemas);
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!(title));
    // An empty file declares nothing, if nothing must be declared.
    let kind = if object.required.is_empty() { json!(["object", "null"]) } else { json!("object") };
    object.write_into(&mut schema, kind);
    schema.insert("$defs".to_owned(), Value::Object(schemas.definitions));
    Value::Object(schema)
}

impl Schemas {
    /// A reference to the description of a record.
    pub fn record<T: Record>(&mut self, name: &str, doc: &[&str]) -> Value {
        self.named(name, doc, |object, schemas| T::describe(object, schemas))
    }

    /// A reference to the description of a record that `type: word` chooses.
    pub fn variant<T: Record>(&mut self, name: &str, word: &str) -> Value {
        self.named(name, &[], |object, schemas| {
            object.properties.insert("type".to_owned(), json!({ "const": word }));
            object.required.push("type");
            T::describe(object, schemas);
        })
    }

    fn named(&mut self, name: &str, doc: &[&str], describe: impl FnOnce(&mut ObjectSchema, &mut Self)) -> Value {
        let name = name.strip_prefix("Raw").unwrap_or(name);
        if !self.definitions.contains_key(name) {
            // Taken before its keys are described, which may refer back to it.
            self.definitions.insert(name.to_owned(), Value::Null);
            let mut object = ObjectSchema::default();
            describe(&mut object, self);
            let mut schema = Map::new();
            object.write_into(&mut schema, json!("object"));
            self.definitions.insert(name.to_owned(), described(Value::Object(schema), doc));
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }
}

impl ObjectSchema {
    /// A key that must be there.
    pub fn required<T: Read>(&mut self, key: &'static str, doc: &[&str], schemas: &mut Schemas) {
        self.required.push(plain(key));
        self.optional::<T>(key, doc, schemas);
    }

    /// A key that may be left out.
    pub fn optional<T: Read>(&mut self, key: &'static str, doc: &[&str], schemas: &mut Schemas) {
        self.properties.insert(plain(key).to_owned(), described(T::schema(schemas), doc));
    }

    /// A key that may be left out and then has a value of its own, if it is worth saying.
    pub fn defaulted<T: Read>(
        &mut self,
        (key, default): (&'static str, Option<Value>),
        doc: &[&str],
        schemas: &mut Schemas,
    ) {
        let mut schema = described(T::schema(schemas), doc);
        if let (Value::Object(members), Some(default)) = (&mut schema, default) {
            members.insert("default".to_owned(), default);
        }
        self.properties.insert(plain(key).to_owned(), schema);
    }

    fn write_into(self, schema: &mut Map<String, Value>, kind: Value) {
        schema.insert("type".to_owned(), kind);
        schema.insert("properties".to_owned(), Value::Object(self.properties));
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), json!(self.required));
        }
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
}

/// The schema with a doc comment as its description.
fn described(mut schema: Value, doc: &[&str]) -> Value {
    if let (Value::Object(members), false) = (&mut schema, doc.is_empty()) {
        let text = doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        members.insert("description".to_owned(), Value::String(text));
    }
    schema
}
