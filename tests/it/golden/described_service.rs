//! What the registry server says of its messages, against Feast's own description of them.

use std::collections::BTreeMap;

use feastr::feast::registry_server::descriptor;
use prost_types::{
    DescriptorProto, FieldDescriptorProto,
    field_descriptor_proto::{Label, Type},
};
use serde_json::Value as Json;

use super::{golden_root, read_json};

/// Number, name and type of the fields of each message.
type Messages = BTreeMap<String, Vec<(i64, String, String)>>;

fn ours() -> Messages {
    let mut messages = Messages::new();
    for file in descriptor().file {
        for message in &file.message_type {
            add(&mut messages, file.package(), message);
        }
    }
    messages
}

fn add(messages: &mut Messages, outer: &str, message: &DescriptorProto) {
    let full = format!("{outer}.{}", message.name());
    let entries: BTreeMap<String, &DescriptorProto> = message
        .nested_type
        .iter()
        .filter(|inner| inner.options.as_ref().is_some_and(|options| options.map_entry()))
        .map(|inner| (format!(".{full}.{}", inner.name()), inner))
        .collect();
    let fields = message.field.iter().map(|field| {
        let word = match entries.get(field.type_name()) {
            Some(entry) => format!("map<{},{}>", word(&entry.field[0]), word(&entry.field[1])),
            None if field.label() == Label::Repeated => format!("repeated {}", word(field)),
            None => word(field),
        };
        (i64::from(field.number()), field.name().to_owned(), word)
    });
    messages.insert(full.clone(), fields.collect());
    for inner in message.nested_type.iter().filter(|inner| !entries.values().any(|entry| entry == inner)) {
        add(messages, &full, inner);
    }
}

fn word(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Enum => field.type_name().trim_start_matches('.').to_owned(),
        other => other.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    }
}

fn theirs() -> Messages {
    let described = read_json(&golden_root().join("protos/descriptors.json"));
    let messages = described["messages"].as_object().unwrap().iter();
    let fields = |message: &Json| {
        let fields = message["fields"].as_array().unwrap().iter().map(|field| {
            let kind = field["type"].as_str().unwrap();
            let word = match kind {
                "message" | "enum" => field[kind].as_str().unwrap(),
                other => other,
            };
            let is_list = field["repeated"] == true && !word.starts_with("map<");
            let word = if is_list { format!("repeated {word}") } else { word.to_owned() };
            (field["number"].as_i64().unwrap(), field["name"].as_str().unwrap().to_owned(), word)
        });
        fields.collect()
    };
    messages.map(|(name, message)| (name.clone(), fields(message))).collect()
}

#[test]
fn messages_are_described_as_those_of_feast() {
    let (ours, theirs) = (ours(), theirs());
    for (name, fields) in
        ours.iter().filter(|(name, _)| !name.starts_with("google.") && *name != "feast.types.ValueType")
    {
        let known = theirs.get(name).unwrap_or_else(|| panic!("Feast has no {name}"));
        for field in fields {
            assert!(known.contains(field), "{name}: {field:?} is not among {known:?}");
        }
    }
    let of_service = |messages: &Messages| {
        let messages = messages.iter().filter(|(name, _)| name.starts_with("feast.registry."));
        messages.map(|(name, fields)| (name.clone(), fields.clone())).collect::<Messages>()
    };
    assert_eq!(of_service(&ours), of_service(&theirs));
    // Whatever is named is there.
    for (name, fields) in &ours {
        for (_, field, word) in fields {
            let named = word.trim_start_matches("repeated ");
            let is_there =
                !named.contains('.') || named.starts_with("map<") || ours.contains_key(named) || is_enumeration(named);
            assert!(is_there, "{name}.{field} is a {named}");
        }
    }
}

fn is_enumeration(name: &str) -> bool {
    descriptor().file.iter().any(|file| {
        let outer = file.enum_type.iter().map(|each| format!("{}.{}", file.package(), each.name()));
        let inner = file.message_type.iter().flat_map(|message| {
            message.enum_type.iter().map(|each| format!("{}.{}.{}", file.package(), message.name(), each.name()))
        });
        outer.chain(inner).any(|each| each == name)
    })
}
