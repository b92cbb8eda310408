//! The name of the project inside of objects: here, and nowhere else, it is read, taken off and put on.

use super::fields::{Part, SPEC, message};
use crate::{
    feast::wire::{Field, length_delimited, split},
    model::ObjectKind,
};

/// Name and project of an object.
pub(super) fn identity(kind: ObjectKind, content: &[u8]) -> Option<(String, String)> {
    let text = |fields: &[Field<'_>], number: u32| {
        let found = fields.iter().rev().find(|field| field.number == number)?;
        String::from_utf8(found.content?.to_vec()).ok()
    };
    let mut fields = split(content)?;
    let mut message = message(kind);
    if let Some(spec) = message.spec() {
        fields = split(fields.iter().find(|field| field.number == SPEC)?.content?)?;
        message = spec;
    }
    let name = message.number(|part| matches!(part, Part::Name));
    let project = text(&fields, message.number(|part| matches!(part, Part::Project))?);
    match name {
        // Without a name, in files of Feast before 0.21.
        Some(name) if kind == ObjectKind::DataSource => {
            Some((text(&fields, name).unwrap_or_default(), project.unwrap_or_default()))
        }
        Some(name) => Some((text(&fields, name)?, project.unwrap_or_default())),
        // A project is called like itself.
        None => project.map(|project| (project.clone(), project)),
    }
}

/// The message as the SQL registry stores it.
pub(super) fn without_project(kind: ObjectKind, content: &[u8]) -> Vec<u8> {
    set_project(kind, content, None)
}

/// The message as a file registry stores it.
pub fn with_project(kind: ObjectKind, content: &[u8], project: &str) -> Vec<u8> {
    set_project(kind, content, Some(project))
}

/// The message with the field of its project set or removed, and all other bytes as they are.
fn set_project(kind: ObjectKind, content: &[u8], project: Option<&str>) -> Vec<u8> {
    // The name of a project stays.
    if kind == ObjectKind::Project {
        return content.to_vec();
    }
    let message = message(kind);
    let fields = message.spec().unwrap_or(message);
    let Some(number) = fields.number(|part| matches!(part, Part::Project)) else { return content.to_vec() };
    if message.spec().is_none() {
        return set_text(content, number, project);
    }
    let Some(fields) = split(content) else { return content.to_vec() };
    let mut output = Vec::with_capacity(content.len() + 32);
    for field in fields {
        match field.content.filter(|_| field.number == SPEC) {
            Some(spec) => output.extend(length_delimited(SPEC, &set_text(spec, number, project))),
            None => output.extend(field.bytes),
        }
    }
    output
}

/// A message with a text set or removed, at the place that the order of numbers gives it.
fn set_text(content: &[u8], number: u32, text: Option<&str>) -> Vec<u8> {
    let Some(fields) = split(content) else { return content.to_vec() };
    let others: Vec<&Field<'_>> = fields.iter().filter(|field| field.number != number).collect();
    let at = others.iter().position(|field| field.number > number).unwrap_or(others.len());
    let bytes = |fields: &[&Field<'_>]| fields.iter().flat_map(|field| field.bytes.to_vec()).collect::<Vec<u8>>();
    let mut output = bytes(&others[..at]);
    output.extend(text.map_or_else(Vec::new, |text| length_delimited(number, text.as_bytes())));
    output.extend(bytes(&others[at..]));
    output
}
