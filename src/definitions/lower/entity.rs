use super::names::{check_column_name, check_object_name};
use crate::{
    definitions::format::{RawEntity, RawProject},
    diagnostics::Diagnostics,
    model::{Entity, Project},
    yaml::Spanned,
};

/// The entity a definition declares; `None` after an error.
pub(crate) fn lower_entity(raw: RawEntity, diagnostics: &mut Diagnostics) -> Option<Entity> {
    let is_usable = check_object_name(&raw.name, "an entity", diagnostics);
    let join_key = match raw.join_keys {
        None if !is_usable => return None,
        None => raw.name.clone(),
        Some(keys) => match <[Spanned<String>; 1]>::try_from(keys.value) {
            Ok([key]) => key,
            Err(several) => {
                diagnostics.error_with_help(
                    &keys.span,
                    format!("an entity has exactly one join key, `{}` has {}", raw.name.value, several.len()),
                    "for a composite key, declare one entity per key and list them all in the view".to_owned(),
                );
                return None;
            }
        },
    };
    check_column_name(&join_key, diagnostics);
    Some(Entity {
        name: raw.name.value,
        join_key: join_key.value,
        value_type: raw.value_type.map(|value_type| value_type.value.0),
        description: raw.about.description,
        owner: raw.about.owner,
        tags: raw.about.labels.into_tags(),
    })
}

/// The project the definitions describe; its name must be the configured one.
pub(crate) fn lower_project(raw: RawProject, configured: &str, diagnostics: &mut Diagnostics) -> Project {
    if raw.name.value != configured {
        diagnostics.error_with_help(
            &raw.name.span,
            format!("the project is called `{}` here and `{configured}` in feature_store.yaml", raw.name.value),
            format!("call it `{configured}` in both places"),
        );
    }
    Project { name: configured.to_owned(), description: raw.description, owner: raw.owner, tags: raw.tags.0 }
}
