//! The JSON that `feast registry-dump` prints of one project.
//!
//! It is not the JSON of the registry message: each kind is a list sorted by name and left out when
//! empty, all keys are sorted, objects do not repeat their project, the source text of a function
//! stands in place of its pickle, and infrastructure shows the tables alone. As in Feast, projects,
//! label views, validation references and old versions are not part of it.

use serde::Serialize;
use serde_json::{Error, Map, Value};

use super::messages::{DecodeError, InfraObject, Registry, decode};
use crate::model::ObjectKind;

const FUNCTION: &str = "/spec/featureTransformation/userDefinedFunction";
const OLD_FUNCTION: &str = "/spec/userDefinedFunction";

/// Stored objects of a project as one message, as a file registry holds them.
///
/// # Errors
/// When the bytes of an object, or those of the record of infrastructure, are damaged.
pub fn to_registry<'a>(
    objects: impl IntoIterator<Item = (ObjectKind, &'a [u8])>,
    infra: Option<&[u8]>,
) -> Result<Registry, DecodeError> {
    let mut registry = Registry { infra: infra.map(decode).transpose()?, ..Registry::default() };
    for (kind, proto) in objects {
        match kind {
            ObjectKind::Project => registry.projects.push(decode(proto)?),
            ObjectKind::DataSource => registry.data_sources.push(decode(proto)?),
            ObjectKind::Entity => registry.entities.push(decode(proto)?),
            ObjectKind::FeatureView => registry.feature_views.push(decode(proto)?),
            ObjectKind::OnDemandFeatureView => registry.on_demand_feature_views.push(decode(proto)?),
            ObjectKind::StreamFeatureView => registry.stream_feature_views.push(decode(proto)?),
            ObjectKind::LabelView => registry.label_views.push(decode(proto)?),
            ObjectKind::FeatureService => registry.feature_services.push(decode(proto)?),
            ObjectKind::Permission => registry.permissions.push(decode(proto)?),
            ObjectKind::SavedDataset => registry.saved_datasets.push(decode(proto)?),
            ObjectKind::ValidationReference => registry.validation_references.push(decode(proto)?),
        }
    }
    Ok(registry)
}

/// The dump of `project`, of which `registry` holds the objects and no others.
///
/// # Errors
/// Only in theory: every message can be written as JSON.
pub fn registry_dump(project: &str, registry: &Registry) -> Result<Value, Error> {
    let mut on_demand_feature_views = objects(&registry.on_demand_feature_views)?;
    on_demand_feature_views.iter_mut().for_each(show_function_twice);
    let mut stream_feature_views = objects(&registry.stream_feature_views)?;
    stream_feature_views.iter_mut().for_each(|view| drop(show_function(view, OLD_FUNCTION)));
    let infra = registry.infra.iter().flat_map(|infra| &infra.infra_objects);

    let lists = [
        ("projectMetadata", registry.project_metadata.iter().map(serde_json::to_value).collect::<Result<_, _>>()?),
        ("dataSources", objects(&registry.data_sources)?),
        ("entities", objects(&registry.entities)?),
        ("featureViews", objects(&registry.feature_views)?),
        ("featureServices", objects(&registry.feature_services)?),
        ("onDemandFeatureViews", on_demand_feature_views),
        ("streamFeatureViews", stream_feature_views),
        ("savedDatasets", objects(&registry.saved_datasets)?),
        ("infra", infra.map(table).collect::<Result<_, _>>()?),
        ("permissions", objects(&registry.permissions)?),
    ];
    let mut dump = Map::from_iter([("project".to_owned(), project.into())]);
    for (key, mut list) in lists {
        if !list.is_empty() {
            list.sort_by(|a, b| name(a).cmp(name(b)));
            dump.insert(key.to_owned(), list.into());
        }
    }
    let mut dump = Value::from(dump);
    dump.sort_all_objects();
    Ok(dump)
}

/// Messages without the name of their project.
fn objects<M: Serialize>(messages: &[M]) -> Result<Vec<Value>, Error> {
    let mut objects = messages.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>()?;
    for object in &mut objects {
        let is_source = object.get("spec").is_none();
        let holder = if is_source { Some(object) } else { object.get_mut("spec") };
        if let Some(fields) = holder.and_then(Value::as_object_mut) {
            fields.remove("project");
        }
    }
    Ok(objects)
}

/// What an infrastructure object holds, without the wrapping.
fn table(object: &InfraObject) -> Result<Value, Error> {
    match object {
        InfraObject { sqlite_table: Some(table), .. } => serde_json::to_value(table),
        InfraObject { datastore_table: Some(table), .. } => serde_json::to_value(table),
        InfraObject { custom_infra: Some(custom), .. } => serde_json::to_value(custom),
        other => serde_json::to_value(other),
    }
}

/// Puts the source text of a function in place of its pickle and gives the text.
fn show_function(view: &mut Value, place: &str) -> Option<Value> {
    let function = view.pointer_mut(place)?.as_object_mut()?;
    let text = function.get("bodyText").cloned().unwrap_or_else(|| "".into());
    function.insert("body".to_owned(), text.clone());
    Some(text)
}

/// Shows the function of an on-demand view also where older Feast versions kept it.
fn show_function_twice(view: &mut Value) {
    match show_function(view, FUNCTION) {
        Some(text) => view["spec"]["userDefinedFunction"]["body"] = text,
        None => drop(show_function(view, OLD_FUNCTION)),
    }
}

/// The name by which Feast sorts an object.
fn name(object: &Value) -> &str {
    let named = object.pointer("/spec/name").or_else(|| object.get("name")).or_else(|| object.get("project"));
    named.and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::feast::registry::messages::{
        DataSource, Entity, EntitySpecV2, FeatureTransformationV2, Infra, OnDemandFeatureView, OnDemandFeatureViewSpec,
        ProjectMetadata, SqliteTable, StreamFeatureView, StreamFeatureViewSpec, UserDefinedFunction,
        UserDefinedFunctionV2,
    };

    fn entity(name: &str) -> Entity {
        let spec = EntitySpecV2 { name: name.into(), project: "shop".into(), ..EntitySpecV2::default() };
        Entity { spec: Some(spec), meta: None }
    }

    fn sqlite_table(name: &str) -> InfraObject {
        InfraObject {
            infra_object_class_type: "some.Class".into(),
            sqlite_table: Some(SqliteTable { path: "online.db".into(), name: name.into() }),
            ..InfraObject::default()
        }
    }

    #[test]
    fn objects_are_sorted_and_do_not_repeat_the_project() {
        let registry = Registry {
            entities: vec![entity("driver"), entity("__dummy"), entity("Driver")],
            data_sources: vec![DataSource { name: "s".into(), project: "shop".into(), ..DataSource::default() }],
            infra: Some(Infra { infra_objects: vec![sqlite_table("shop_b"), sqlite_table("shop_a")] }),
            project_metadata: vec![ProjectMetadata { project: "shop".into(), project_uuid: "1".into() }],
            ..Registry::default()
        };
        let dump = registry_dump("shop", &registry).unwrap();
        let expected = json!({
            "dataSources": [{"name": "s"}],
            "entities": [{"spec": {"name": "Driver"}}, {"spec": {"name": "__dummy"}}, {"spec": {"name": "driver"}}],
            "infra": [{"name": "shop_a", "path": "online.db"}, {"name": "shop_b", "path": "online.db"}],
            "project": "shop",
            "projectMetadata": [{"project": "shop", "projectUuid": "1"}],
        });
        assert_eq!(dump.to_string(), expected.to_string());
    }

    #[test]
    fn functions_show_their_source() {
        let function = UserDefinedFunctionV2 { body: vec![1], body_text: "def f(): …".into(), ..Default::default() };
        let transformation =
            FeatureTransformationV2 { user_defined_function: Some(function), ..FeatureTransformationV2::default() };
        let view = OnDemandFeatureView {
            spec: Some(OnDemandFeatureViewSpec { feature_transformation: Some(transformation), ..Default::default() }),
            meta: None,
        };
        let old = UserDefinedFunction { body: vec![1], ..UserDefinedFunction::default() };
        let stream_view = StreamFeatureView {
            spec: Some(StreamFeatureViewSpec { user_defined_function: Some(old), ..Default::default() }),
            meta: None,
        };
        let registry = Registry {
            on_demand_feature_views: vec![view],
            stream_feature_views: vec![stream_view, StreamFeatureView::default()],
            ..Registry::default()
        };
        let dump = registry_dump("shop", &registry).unwrap();
        let text = "def f(): …";
        assert_eq!(
            dump["onDemandFeatureViews"],
            json!([{"spec": {
                "featureTransformation": {"userDefinedFunction": {"body": text, "bodyText": text}},
                "userDefinedFunction": {"body": text},
            }}])
        );
        assert_eq!(dump["streamFeatureViews"], json!([{"spec": {"userDefinedFunction": {"body": ""}}}, {}]));
    }
}
