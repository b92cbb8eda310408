//! Feature services into the model: which features a member selects, under which alias and join keys.

use std::collections::BTreeMap;

use super::{
    names::{Taken, check_characters, check_object_name},
    view::{DeclaredView, DeclaredViews},
};
use crate::{
    definitions::format::{Member, RawDestination, RawFeatureService, RawLoggingConfig},
    diagnostics::{Diagnostics, Missing, did_you_mean},
    model::{FeatureService, Field, LogDestination, LoggingConfig, ObjectKind, Projection, Tags},
    yaml::Spanned,
};

/// The service a definition declares; `None` after an error.
pub(crate) fn lower_service(
    raw: RawFeatureService,
    views: &DeclaredViews,
    diagnostics: &mut Diagnostics,
) -> Option<FeatureService> {
    check_object_name(&raw.name, "a feature service", diagnostics);
    let user = user(ObjectKind::FeatureService, &raw.name.value, &raw.about.owner);
    let mut names = Taken::exact("member of this service");
    let projections: Vec<Option<Projection>> = raw
        .features
        .into_iter()
        .map(|member| {
            names.take(member.name_alias.as_ref().unwrap_or(&member.view), diagnostics);
            lower_member(member, views, &user, diagnostics)
        })
        .collect();
    Some(FeatureService {
        name: raw.name.value,
        features: projections.into_iter().collect::<Option<_>>()?,
        logging_config: raw.logging_config.map(|logging| lower_logging(logging, diagnostics)),
        precompute_online: raw.precompute_online,
        description: raw.about.description,
        owner: raw.about.owner,
        tags: raw.about.labels.into_tags(),
    })
}

/// An object that needs views, in words, with whom to ask.
pub(crate) fn user(kind: ObjectKind, name: &str, owner: &str) -> String {
    let owner = if owner.is_empty() { String::new() } else { format!(" (owner {owner})") };
    format!("{kind} `{name}`{owner}")
}

fn lower_member(
    member: Member,
    views: &DeclaredViews,
    user: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Projection> {
    match views.get(&member.view.value) {
        Some(view) => project(member, view.as_ref()?, user, diagnostics),
        None => {
            let missing = Missing::named("feature view", &member.view.value).needed_by(user);
            diagnostics.missing(&member.view.span, missing, views.keys().map(String::as_str));
            None
        }
    }
}

/// The part of a view that a member selects. What it names and the view lacks is reported and left
/// out; `user` is who selects.
pub(crate) fn project(
    member: Member,
    view: &DeclaredView,
    user: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Projection> {
    let features = match &member.features {
        None => view.features.clone(),
        Some(names) => {
            let mut taken = Taken::exact("feature of this selection");
            let mut features = Vec::with_capacity(names.len());
            for name in names {
                if taken.take(name, diagnostics) {
                    features.extend(find_feature((&member.view.value, view), name, user, diagnostics).cloned());
                }
            }
            features
        }
    };
    if let Some(alias) = &member.name_alias {
        if alias.value.trim().is_empty() {
            diagnostics.error(&alias.span, "the other name is empty");
        }
        check_characters(alias, diagnostics);
    }
    let join_key_map = join_key_map(member.join_key_map, (&member.view.value, view), diagnostics);
    Some(Projection {
        view: member.view.value,
        features,
        name_alias: member.name_alias.map(|alias| alias.value),
        join_key_map,
        source: view.source.clone(),
        labels: view.kind == ObjectKind::LabelView,
    })
}

fn find_feature<'a>(
    (view_name, view): (&str, &'a DeclaredView),
    name: &Spanned<String>,
    user: &str,
    diagnostics: &mut Diagnostics,
) -> Option<&'a Field> {
    let found = view.features.iter().find(|feature| feature.name == name.value);
    if found.is_none() {
        let message = format!("feature view `{view_name}` has no feature `{}`", name.value);
        if view.join_keys.iter().any(|column| column.name == name.value) {
            diagnostics.error_with_help(&name.span, message, "join keys come along by themselves".to_owned());
        } else {
            let missing = Missing::named("feature view", view_name).needed_by(user);
            let missing = Missing { feature: Some(name.value.clone()), ..missing };
            diagnostics.missing(&name.span, missing, view.features.iter().map(|feature| feature.name.as_str()));
        }
    }
    found
}

fn join_key_map(
    written: Option<Spanned<Tags>>,
    (view_name, view): (&str, &DeclaredView),
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, String> {
    let Some(map) = written else { return BTreeMap::new() };
    for key in map.value.keys() {
        if !view.join_keys.iter().any(|column| column.name == *key) {
            let help = did_you_mean(key, view.join_keys.iter().map(|column| column.name.as_str()));
            let message = format!("feature view `{view_name}` has no join key `{key}`");
            diagnostics.error_with_help(&map.span, message, help);
        }
    }
    map.value
}

fn lower_logging(raw: RawLoggingConfig, diagnostics: &mut Diagnostics) -> LoggingConfig {
    let sample_rate = raw.sample_rate.map_or(1.0, |rate| {
        if !(0.0..=1.0).contains(&rate.value) {
            diagnostics.error(&rate.span, "`sample_rate` is a share between 0 and 1");
        }
        rate.value
    });
    let RawDestination::File(file) = raw.destination;
    #[expect(clippy::cast_possible_truncation, reason = "Feast stores the share as a 32-bit float")]
    LoggingConfig {
        sample_rate: sample_rate as f32,
        destination: LogDestination::File {
            path: file.path.value,
            s3_endpoint_override: file.s3_endpoint_override,
            partition_by: file.partition_by,
        },
    }
}
