//! The messages of objects as they are declared here, described in protobuf's own terms for those who ask a server what it
//! speaks.
//!
//! Each message and enumeration says in its comment what Feast calls it: that is its name here, too.

use std::collections::BTreeMap;

use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto, MessageOptions,
    field_descriptor_proto::{Label, Type},
};

use super::{
    Action, ConflictResolutionPolicy, FeatureViewState, PermissionType, SourceType, ValueTypeEnum, data_format,
    data_source,
    declared::{Enumeration, Field, Message},
    entity, feature, feature_service, feature_view, infra, label_view, map, on_demand_feature_view, permission,
    project, registry, saved_dataset, stream_feature_view, transformation,
};

const MESSAGES: [&[Message]; 16] = [
    data_format::DECLARED,
    data_source::DECLARED,
    entity::DECLARED,
    feature::DECLARED,
    feature_service::DECLARED,
    feature_view::DECLARED,
    infra::DECLARED,
    label_view::DECLARED,
    map::DECLARED,
    on_demand_feature_view::DECLARED,
    permission::DECLARED,
    project::DECLARED,
    registry::DECLARED,
    saved_dataset::DECLARED,
    stream_feature_view::DECLARED,
    transformation::DECLARED,
];

const ENUMERATIONS: [Enumeration; 6] = [
    Action::DECLARED,
    ConflictResolutionPolicy::DECLARED,
    FeatureViewState::DECLARED,
    PermissionType::DECLARED,
    SourceType::DECLARED,
    ValueTypeEnum::DECLARED,
];

/// Entries of maps, with the type of their values.
const ENTRIES: [(&str, &str); 3] =
    [("MapEntry", "string"), ("OnDemandSourceEntry", "OnDemandSource"), ("ValueTypeEntry", "ValueTypeEnum")];

/// Fields that Feast names another way than all others.
const NAMES: [(&str, &str); 2] =
    [("earliest_event_timestamp", "earliestEventTimestamp"), ("latest_event_timestamp", "latestEventTimestamp")];

/// A description of the messages by their full names. Those that are declared inside of others are among them.
pub(crate) fn descriptions() -> BTreeMap<String, DescriptorProto> {
    let names = names();
    let is_entry = |message: &&Message| ENTRIES.iter().any(|(entry, _)| *entry == message.name);
    let messages = MESSAGES.into_iter().flatten().filter(|message| !is_entry(message));
    let messages = messages.filter(|message| names.contains_key(message.name));
    messages.map(|message| (names[message.name].clone(), describe(message, &names))).collect()
}

/// A description of the enumerations by their full names.
pub(crate) fn enumerations() -> BTreeMap<String, EnumDescriptorProto> {
    let described = ENUMERATIONS.iter().filter_map(|declared| {
        let full = full_name(declared.about)?;
        let value = |(name, number): &(&str, i32)| EnumValueDescriptorProto {
            name: Some((*name).to_owned()),
            number: Some(*number),
            options: None,
        };
        let described = EnumDescriptorProto {
            name: full.rsplit('.').next().map(str::to_owned),
            value: declared.values.iter().map(value).collect(),
            ..EnumDescriptorProto::default()
        };
        Some((full, described))
    });
    described.collect()
}

/// Feast's names by those of our types.
fn names() -> BTreeMap<&'static str, String> {
    let messages = MESSAGES.into_iter().flatten().map(|message| (message.name, message.about));
    let enumerations = ENUMERATIONS.iter().map(|declared| (declared.name, declared.about));
    let ours = messages.chain(enumerations).filter_map(|(name, about)| Some((name, full_name(about)?)));
    let googles = ["Timestamp", "Duration"].map(|name| (name, format!("google.protobuf.{name}")));
    // A text that may be left out is a message, too.
    let text = ("String", "google.protobuf.StringValue".to_owned());
    ours.chain(googles).chain([text]).collect()
}

/// The first name in a comment.
fn full_name(about: &[&str]) -> Option<String> {
    let (_, rest) = about.iter().find_map(|line| line.split_once("`feast."))?;
    Some(format!("feast.{}", rest.split('`').next()?))
}

fn describe(message: &Message, names: &BTreeMap<&str, String>) -> DescriptorProto {
    let full = &names[message.name];
    let mut described =
        DescriptorProto { name: full.rsplit('.').next().map(str::to_owned), ..DescriptorProto::default() };
    for declared in message.fields {
        let Some((mut field, kind)) = field(declared, names) else { continue };
        if let Some((_, value)) = ENTRIES.into_iter().find(|(entry, _)| *entry == kind) {
            let entry = entry(declared.name, value, names);
            field.type_name = Some(format!(".{full}.{}", entry.name()));
            described.nested_type.push(entry);
        }
        described.field.push(field);
    }
    described
}

/// A field, and the name of its type here.
fn field(declared: &Field, names: &BTreeMap<&str, String>) -> Option<(FieldDescriptorProto, &'static str)> {
    let attribute =
        declared.attributes.iter().find_map(|attribute| attribute.strip_prefix("prost")).unwrap_or_default();
    let words: Vec<&str> = attribute.trim_matches(['(', ')', ' ']).split(',').map(str::trim).collect();
    let text = |word: &str| word.split('"').nth(1).map(str::to_owned);
    let number = words.iter().find(|word| word.starts_with("tag")).and_then(|word| text(word))?;
    let kind = declared.kind.rsplit('<').next().unwrap_or_default().trim_matches(['>', ' ']);
    let enumeration = words.iter().find(|word| word.starts_with("enumeration")).and_then(|word| text(word));
    let (scalar, type_name) = match enumeration {
        Some(name) => (Type::Enum, Some(format!(".{}", names.get(name.as_str())?))),
        None => match scalar(words[0].split(' ').next().unwrap_or_default()) {
            Some(scalar) => (scalar, None),
            None => (Type::Message, names.get(kind).map(|name| format!(".{name}"))),
        },
    };
    let label = if words.contains(&"repeated") { Label::Repeated } else { Label::Optional };
    let name = declared.name.trim_start_matches("r#");
    let name = NAMES.into_iter().find(|(ours, _)| *ours == name).map_or(name, |(_, feasts)| feasts);
    let field = FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: number.parse().ok(),
        label: Some(label.into()),
        r#type: Some(scalar.into()),
        type_name,
        ..FieldDescriptorProto::default()
    };
    Some((field, kind))
}

/// The type that a word stands for; `None` for messages.
pub(crate) fn scalar(word: &str) -> Option<Type> {
    Some(match word {
        "string" => Type::String,
        "bool" => Type::Bool,
        "bytes" => Type::Bytes,
        "int32" => Type::Int32,
        "uint64" => Type::Uint64,
        "float" => Type::Float,
        _ => return None,
    })
}

/// The message of a map's entries: protobuf has one for each map.
fn entry(field: &str, value: &str, names: &BTreeMap<&str, String>) -> DescriptorProto {
    let part = |name: &str, number: i32, word: &str| {
        let kind = match scalar(word) {
            Some(scalar) => scalar,
            None if word == "ValueTypeEnum" => Type::Enum,
            None => Type::Message,
        };
        FieldDescriptorProto {
            name: Some(name.to_owned()),
            number: Some(number),
            label: Some(Label::Optional.into()),
            r#type: Some(kind.into()),
            type_name: names.get(word).map(|name| format!(".{name}")),
            ..FieldDescriptorProto::default()
        }
    };
    string_entry(field, part("key", 1, "string"), part("value", 2, value))
}

/// The message of the entries of a map from texts to texts.
pub(crate) fn text_entry(field: &str) -> DescriptorProto {
    entry(field, "string", &BTreeMap::new())
}

fn string_entry(field: &str, key: FieldDescriptorProto, value: FieldDescriptorProto) -> DescriptorProto {
    let capitalized = field.split('_').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    });
    DescriptorProto {
        name: Some(capitalized.collect::<String>() + "Entry"),
        field: vec![key, value],
        options: Some(MessageOptions { map_entry: Some(true), ..MessageOptions::default() }),
        ..DescriptorProto::default()
    }
}
