use std::collections::BTreeMap;

use super::{
    names::{Taken, check_object_name, not_yet},
    raw::{RawFeatureService, RawLoggingConfig},
    values::Member,
};
use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    model::{FeatureService, FeatureView, LogDestination, LoggingConfig, Projection, Tags},
    yaml::Spanned,
};

/// The views services can select from; `None` stands for one that is declared but broken.
pub type DeclaredViews = BTreeMap<String, Option<FeatureView>>;

/// The service a definition declares; nothing after an error.
pub fn lower_service(
    raw: RawFeatureService,
    views: &DeclaredViews,
    diagnostics: &mut Diagnostics,
) -> Option<FeatureService> {
    check_object_name(&raw.name, "a feature service", diagnostics);
    not_yet(raw.protect.as_ref(), "protect", diagnostics);
    not_yet(raw.renamed_from.as_ref(), "renamed_from", diagnostics);
    let mut names = Taken::exact("member of this service");
    let members = raw.features.unwrap_or_default();
    let projections: Vec<Option<Projection>> = members
        .into_iter()
        .map(|member| {
            names.take(member.name_alias.as_ref().unwrap_or(&member.view), diagnostics);
            lower_member(member, views, diagnostics)
        })
        .collect();
    let logging_config = raw.logging_config.map(|logging| lower_logging(logging, diagnostics));
    Some(FeatureService {
        name: raw.name.value,
        features: projections.into_iter().collect::<Option<_>>()?,
        logging_config: match logging_config {
            Some(logging) => Some(logging?),
            None => None,
        },
        precompute_online: raw.precompute_online.unwrap_or(false),
        description: raw.description.unwrap_or_default(),
        owner: raw.owner.unwrap_or_default(),
        tags: raw.tags.unwrap_or_default(),
    })
}

fn lower_member(member: Member, views: &DeclaredViews, diagnostics: &mut Diagnostics) -> Option<Projection> {
    let view = match views.get(&member.view.value) {
        Some(view) => view.as_ref()?,
        None => {
            let help = did_you_mean(&member.view.value, views.keys().map(String::as_str));
            let message = format!("there is no feature view `{}`", member.view.value);
            diagnostics.error_with_help(&member.view.span, message, help);
            return None;
        }
    };
    let features = match &member.features {
        None => view.features.clone(),
        Some(names) => {
            let mut taken = Taken::exact("feature of this selection");
            let mut features = Vec::with_capacity(names.len());
            for name in names {
                if taken.take(name, diagnostics) {
                    features.extend(find_feature(view, name, diagnostics).cloned());
                }
            }
            features
        }
    };
    Some(Projection {
        view: view.name.clone(),
        features,
        name_alias: member.name_alias.map(|alias| alias.value),
        join_key_map: join_key_map(member.join_key_map, view, diagnostics),
        source: view.source.clone(),
        labels: false,
    })
}

fn find_feature<'a>(
    view: &'a FeatureView,
    name: &Spanned<String>,
    diagnostics: &mut Diagnostics,
) -> Option<&'a crate::model::Field> {
    let found = view.features.iter().find(|feature| feature.name == name.value);
    if found.is_none() {
        let is_key = view.entity_columns.iter().any(|column| column.name == name.value);
        let help = if is_key {
            Some("join keys come along by themselves".to_owned())
        } else {
            did_you_mean(&name.value, view.features.iter().map(|feature| feature.name.as_str()))
        };
        let message = format!("feature view `{}` has no feature `{}`", view.name, name.value);
        diagnostics.error_with_help(&name.span, message, help);
    }
    found
}

fn join_key_map(
    written: Option<Spanned<Tags>>,
    view: &FeatureView,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, String> {
    let Some(map) = written else { return BTreeMap::new() };
    for key in map.value.keys() {
        if !view.join_keys().iter().any(|column| column.name == *key) {
            let help = did_you_mean(key, view.join_keys().iter().map(|column| column.name.as_str()));
            let message = format!("feature view `{}` has no join key `{key}`", view.name);
            diagnostics.error_with_help(&map.span, message, help);
        }
    }
    map.value
}

fn lower_logging(raw: RawLoggingConfig, diagnostics: &mut Diagnostics) -> Option<LoggingConfig> {
    let sample_rate = match raw.sample_rate {
        None => 1.0,
        Some(rate) => {
            if !(0.0..=1.0).contains(&rate.value) {
                diagnostics.error(&rate.span, "`sample_rate` is a share between 0 and 1");
            }
            rate.value
        }
    };
    let destination = raw.destination;
    if destination.r#type.value != "file" {
        let message = format!("logging to `{}` is not supported yet", destination.r#type.value);
        diagnostics.error_with_help(&destination.r#type.span, message, "use `type: file`".to_owned());
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "Feast stores the share as a 32-bit float")]
    Some(LoggingConfig {
        sample_rate: sample_rate as f32,
        destination: LogDestination::File {
            path: destination.path.value,
            s3_endpoint_override: destination.s3_endpoint_override.unwrap_or_default(),
            partition_by: destination.partition_by.unwrap_or_default(),
        },
    })
}
