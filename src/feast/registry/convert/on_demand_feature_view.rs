//! On-demand views between message and model: their expressions are stored as a Python function.

use super::{
    SourceRows, Unmanaged, created,
    data_source::data_source_from_message,
    feature_view::view_version,
    field::{by_name, fields_from_messages, fields_to_messages},
    projection::{check_projection, projection_from_message, projection_to_message},
    version::{RowVersion, version_to_text},
};
use crate::{
    feast::registry::{messages as wire, python},
    model::{Expression, OnDemandFeatureView, OnDemandSource, PythonFunction, PythonMode, SourceKind, Timestamp},
};

/// What names of sources begin with that Feast makes of a view's own `input_schema`.
const OWN_INPUTS: &str = "__input_schema__";

/// The mode in which Feast runs the function of an expression view.
const MODE: &str = "pandas";

/// The view a row describes.
///
/// # Errors
/// When the view is not an expression view, or holds something that definitions cannot express.
pub(crate) fn on_demand_feature_view_from_message(
    message: &wire::OnDemandFeatureView,
) -> Result<OnDemandFeatureView, Unmanaged> {
    let spec = message.spec.clone().unwrap_or_default();
    let expressions = expressions(&spec)?;
    with_expressions(spec, expressions)
}

/// What definitions can say of a view that a Python function computes; it has no expressions.
///
/// # Errors
/// When the row holds more that definitions cannot express.
pub(crate) fn on_demand_feature_view_without_function(
    message: &wire::OnDemandFeatureView,
) -> Result<OnDemandFeatureView, Unmanaged> {
    let spec = message.spec.clone().unwrap_or_default();
    if python_function(message).is_none() || !spec.aggregations.is_empty() {
        return Unmanaged::because("no Python function computes it");
    }
    if spec.sources.iter().any(|source| source.key().starts_with(OWN_INPUTS)) {
        return Unmanaged::because("it has inputs without a source");
    }
    with_expressions(spec, Vec::new())
}

/// The Python function that computes a view, if Feast calls it in a way that is known.
pub(crate) fn python_function(message: &wire::OnDemandFeatureView) -> Option<PythonFunction> {
    let spec = message.spec.as_ref()?;
    let mode = match spec.mode.as_str() {
        "pandas" => PythonMode::Pandas,
        "python" => PythonMode::Python { singleton: spec.singleton },
        _ => return None,
    };
    let transformation = spec.feature_transformation.as_ref();
    let function =
        transformation.and_then(|how| how.user_defined_function.as_ref()).map(|function| &function.body_text);
    let source = function.or(spec.user_defined_function.as_ref().map(|function| &function.body_text))?;
    Some(PythonFunction { mode, source: source.clone() })
}

fn with_expressions(
    spec: wire::OnDemandFeatureViewSpec,
    expressions: Vec<Expression>,
) -> Result<OnDemandFeatureView, Unmanaged> {
    let mut sources = spec.sources.iter().map(source_from_message).collect::<Result<Vec<_>, _>>()?;
    sources.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(OnDemandFeatureView {
        name: spec.name,
        entities: spec.entities,
        entity_columns: fields_from_messages(&spec.entity_columns),
        sources,
        features: fields_from_messages(&spec.features),
        expressions,
        write_to_online_store: spec.write_to_online_store,
        enabled: !spec.disabled,
        version: view_version(&spec.version)?,
        description: spec.description,
        owner: spec.owner,
        org: spec.org,
        tags: wire::to_map(&spec.tags),
    })
}

/// The expressions of a view, one per output.
fn expressions(spec: &wire::OnDemandFeatureViewSpec) -> Result<Vec<Expression>, Unmanaged> {
    let function = spec.feature_transformation.as_ref().and_then(|how| how.user_defined_function.as_ref());
    let expressions = function.and_then(|function| python::read(&function.body_text));
    let Some(expressions) = expressions.filter(|_| spec.mode == MODE && !spec.singleton) else {
        return Unmanaged::because("its transformation is a Python function");
    };
    if !spec.aggregations.is_empty() {
        return Unmanaged::because("it has aggregations, which definitions cannot express");
    }
    if !expressions.iter().map(|expression| &expression.name).eq(spec.features.iter().map(|feature| &feature.name)) {
        return Unmanaged::because("its expressions are not those of its features");
    }
    Ok(expressions)
}

fn source_from_message(entry: &wire::OnDemandSourceEntry) -> Result<OnDemandSource, Unmanaged> {
    let source = entry.value.clone().unwrap_or_default();
    let source = match (source.feature_view_projection, source.request_data_source) {
        (Some(projection), None) => {
            check_projection(&projection)?;
            OnDemandSource::View(projection_from_message(&projection))
        }
        (None, Some(request)) => OnDemandSource::Request(data_source_from_message(&request)),
        _ => return Unmanaged::because(format!("its source `{}` is written in the way of an old Feast", entry.key())),
    };
    match &source {
        OnDemandSource::Request(request) if matches!(request.kind, SourceKind::Foreign(_)) => {
            Unmanaged::because(format!("definitions cannot express its source `{}`", request.name))
        }
        source if source.name() != entry.key() => {
            Unmanaged::because(format!("its source `{}` is called `{}`", source.name(), entry.key()))
        }
        _ => Ok(source),
    }
}

/// Whether a changed view gets a new version number, as Feast decides it: when its outputs, its
/// expressions or its inputs differ.
pub(crate) fn is_new_on_demand_version(before: &OnDemandFeatureView, after: &OnDemandFeatureView) -> bool {
    by_name(&before.features) != by_name(&after.features)
        || by_name(&before.entity_columns) != by_name(&after.entity_columns)
        || before.expressions != after.expressions
        || before.sources != after.sources
}

/// The row of a view that is new or changed at `now`.
pub(crate) fn on_demand_feature_view_to_message(
    view: &OnDemandFeatureView,
    stored: Option<wire::OnDemandFeatureView>,
    sources: &SourceRows,
    version: RowVersion,
    project: &str,
    now: Timestamp,
) -> wire::OnDemandFeatureView {
    let stored = stored.unwrap_or_default();
    let spec = stored.spec.unwrap_or_default();
    let meta = stored.meta.unwrap_or_default();
    wire::OnDemandFeatureView {
        spec: Some(wire::OnDemandFeatureViewSpec {
            name: view.name.clone(),
            project: version.project(spec.project, project),
            features: fields_to_messages(&view.features, &spec.features),
            sources: view.sources.iter().map(|source| source_to_message(source, &spec.sources, sources, now)).collect(),
            user_defined_function: None,
            description: view.description.clone(),
            tags: wire::from_map(&view.tags),
            owner: view.owner.clone(),
            feature_transformation: Some(transformation(view, spec.feature_transformation)),
            mode: MODE.to_owned(),
            write_to_online_store: view.write_to_online_store,
            entities: view.entities.clone(),
            entity_columns: fields_to_messages(&view.entity_columns, &spec.entity_columns),
            singleton: false,
            aggregations: Vec::new(),
            version: version_to_text(view.version, spec.version),
            org: view.org.clone(),
            disabled: !view.enabled,
        }),
        meta: Some(wire::OnDemandFeatureViewMeta {
            created_timestamp: created(meta.created_timestamp, now),
            last_updated_timestamp: Some(now.into()),
            current_version_number: version.number(meta.current_version_number),
            ..meta
        }),
    }
}

/// The function that computes the view in Python; a stored one with the same source stays.
fn transformation(
    view: &OnDemandFeatureView,
    stored: Option<wire::FeatureTransformationV2>,
) -> wire::FeatureTransformationV2 {
    let source = python::python_source(view);
    if let Some(stored) = stored
        && stored.user_defined_function.as_ref().is_some_and(|function| function.body_text == source)
    {
        return stored;
    }
    wire::FeatureTransformationV2 {
        user_defined_function: Some(wire::UserDefinedFunctionV2 {
            name: python::FUNCTION.to_owned(),
            body: Vec::new(),
            body_text: source,
            mode: MODE.to_owned(),
        }),
        substrait_transformation: None,
    }
}

fn source_to_message(
    source: &OnDemandSource,
    stored: &[wire::OnDemandSourceEntry],
    rows: &SourceRows,
    now: Timestamp,
) -> wire::OnDemandSourceEntry {
    if let Some(same) = stored.iter().find(|entry| source_from_message(entry).as_ref() == Ok(source)) {
        return same.clone();
    }
    let mut value = wire::OnDemandSource::default();
    match source {
        OnDemandSource::View(projection) => {
            value.feature_view_projection = Some(projection_to_message(projection, std::iter::empty(), rows, now));
        }
        OnDemandSource::Request(request) => value.request_data_source = Some(rows.copy(request, now)),
    }
    wire::OnDemandSourceEntry { key: Some(source.name().to_owned()), value: Some(value) }
}
