//! Views that Python wrote: what can be said of them, and the function that computes them.

use super::{
    convert::{on_demand_feature_view_without_function, python_function as function_of_message},
    messages::{self, decode},
};
use crate::model::{Object, ObjectKind, PythonFunction};

/// What definitions can say of a stored on-demand view besides its Python function: the view without expressions.
/// `None` for other objects, and where there is more that they cannot say.
pub fn without_function(kind: ObjectKind, proto: &[u8]) -> Option<Object> {
    let message: messages::OnDemandFeatureView = on_demand(kind, proto)?;
    let object = Object::OnDemandFeatureView(on_demand_feature_view_without_function(&message).ok()?);
    // An old Feast stored sources without names.
    let is_named = object.sources().iter().all(|source| !source.name.is_empty());
    Some(object).filter(|_| is_named)
}

/// The Python function of a stored on-demand view; `None` for other objects, and for other ways of computing.
pub fn python_function(kind: ObjectKind, proto: &[u8]) -> Option<PythonFunction> {
    function_of_message(&on_demand(kind, proto)?)
}

fn on_demand(kind: ObjectKind, proto: &[u8]) -> Option<messages::OnDemandFeatureView> {
    if kind == ObjectKind::OnDemandFeatureView { decode(proto).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::model::PythonMode;

    fn stored(mode: &str, source: &str) -> messages::OnDemandFeatureView {
        let request = messages::DataSource {
            name: source.to_owned(),
            r#type: messages::SourceType::RequestSource.into(),
            request_data_options: Some(messages::RequestDataOptions::default()),
            ..Default::default()
        };
        let function =
            messages::UserDefinedFunctionV2 { body_text: "def f(inputs): ...".to_owned(), ..Default::default() };
        let entry = messages::OnDemandSourceEntry {
            key: Some(source.to_owned()),
            value: Some(messages::OnDemandSource { request_data_source: Some(request), ..Default::default() }),
        };
        let spec = messages::OnDemandFeatureViewSpec {
            name: "v".to_owned(),
            mode: mode.to_owned(),
            sources: vec![entry],
            feature_transformation: Some(messages::FeatureTransformationV2 {
                user_defined_function: Some(function),
                substrait_transformation: None,
            }),
            ..Default::default()
        };
        messages::OnDemandFeatureView { spec: Some(spec), meta: None }
    }

    #[test]
    fn only_functions_are_left_out() {
        let kind = ObjectKind::OnDemandFeatureView;
        for (mode, expected) in [
            ("pandas", Some(PythonMode::Pandas)),
            ("python", Some(PythonMode::Python { singleton: false })),
            ("substrait", None),
            ("", None),
        ] {
            let proto = stored(mode, "r").encode_to_vec();
            assert_eq!(python_function(kind, &proto).map(|function| function.mode), expected, "{mode}");
            assert_eq!(without_function(kind, &proto).is_some(), expected.is_some(), "{mode}");
        }
        let mut aggregated = stored("pandas", "r");
        aggregated.spec.as_mut().unwrap().aggregations.push(messages::Aggregation::default());
        for message in [aggregated, stored("pandas", "__input_schema__v"), stored("pandas", "")] {
            assert_eq!(without_function(kind, &message.encode_to_vec()), None, "{message:?}");
        }
        assert_eq!(without_function(ObjectKind::FeatureView, &stored("pandas", "r").encode_to_vec()), None);
    }

    #[test]
    fn an_old_feast_kept_the_function_elsewhere() {
        let mut message = stored("pandas", "r");
        let spec = message.spec.as_mut().unwrap();
        spec.feature_transformation = None;
        spec.user_defined_function =
            Some(messages::UserDefinedFunction { body_text: "def old(df): ...".to_owned(), ..Default::default() });
        let function = python_function(ObjectKind::OnDemandFeatureView, &message.encode_to_vec()).unwrap();
        assert_eq!(function.source, "def old(df): ...");
    }
}
