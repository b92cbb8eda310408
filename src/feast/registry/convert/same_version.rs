use super::{
    feature_view::is_new_version, label_view::is_new_label_version, on_demand_feature_view::is_new_on_demand_version,
    stream_feature_view::is_new_stream_version,
};
use crate::model::Object;

/// Whether two states of a view are one version: its columns and all that Feast counts with them
/// are the same.
pub fn is_same_version(before: &Object, after: &Object) -> bool {
    match (before, after) {
        (Object::FeatureView(before), Object::FeatureView(after)) => !is_new_version(before, after),
        (Object::StreamFeatureView(before), Object::StreamFeatureView(after)) => !is_new_stream_version(before, after),
        (Object::OnDemandFeatureView(before), Object::OnDemandFeatureView(after)) => {
            !is_new_on_demand_version(before, after)
        }
        (Object::LabelView(before), Object::LabelView(after)) => !is_new_label_version(before, after),
        _ => false,
    }
}
