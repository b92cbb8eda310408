//! Failures as the status of a call, with Feast's classes in its message, which its clients raise again.

use tonic::Status;

use crate::{
    app::Failure,
    daemon::status::{code, message},
    feast::FeastError,
    model::ObjectKind,
    problem::{Kind, Problem},
};

/// The status of a problem, with the class that stands for it.
pub(super) fn status(problem: &Problem, class: Option<&'static str>) -> Status {
    let message = message(problem);
    let message = match class {
        Some(class) => FeastError::new(class, message).json(),
        None => message,
    };
    Status::new(code(problem), message)
}

/// The class that stands for a failure in `feast.errors`; `about` is the kind of object that was asked for. Where a store is away
/// or nobody knows who asks there is none: clients look at the code.
pub(super) fn class(failure: &Failure, about: Option<ObjectKind>) -> Option<&'static str> {
    if let Failure::Conflicts(_) = failure {
        return Some("ConflictingFeatureViewNames");
    }
    Some(match failure.kind() {
        Kind::NotFound => about.map_or("FeastObjectNotFoundException", not_found),
        Kind::Denied => "FeastPermissionError",
        Kind::Invalid | Kind::Conflict | Kind::Refused | Kind::Unsupported => "FeastError",
        Kind::Unavailable | Kind::Deadline | Kind::Unauthenticated | Kind::Cancelled | Kind::Internal => return None,
    })
}

const fn not_found(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Project => "ProjectObjectNotFoundException",
        ObjectKind::DataSource => "DataSourceObjectNotFoundException",
        ObjectKind::Entity => "EntityNotFoundException",
        ObjectKind::FeatureView
        | ObjectKind::OnDemandFeatureView
        | ObjectKind::StreamFeatureView
        | ObjectKind::LabelView => "FeatureViewNotFoundException",
        ObjectKind::FeatureService => "FeatureServiceNotFoundException",
        ObjectKind::Permission => "PermissionNotFoundException",
        ObjectKind::SavedDataset => "SavedDatasetNotFound",
        ObjectKind::ValidationReference => "ValidationReferenceNotFound",
    }
}
