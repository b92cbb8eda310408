//! Failures as the status of a call, with Feast's classes in its message, which its clients raise again.

use tonic::Status;

use crate::{
    daemon::status::{code, message},
    feast::FeastError,
    model::ObjectKind,
    problem::{Kind, Problem},
};

/// The status of a problem; `about` is the kind of object that was asked for.
pub(super) fn status(problem: &Problem, about: Option<ObjectKind>) -> Status {
    let message = message(problem);
    let message = match class(problem.kind, about) {
        Some(class) => FeastError::new(class, message).json(),
        None => message,
    };
    Status::new(code(problem), message)
}

/// The class that stands for a problem in `feast.errors`. Where a store is away or nobody knows who asks there is none: clients
/// look at the code.
const fn class(kind: Kind, about: Option<ObjectKind>) -> Option<&'static str> {
    Some(match (kind, about) {
        (Kind::NotFound, Some(kind)) => not_found(kind),
        (Kind::NotFound, None) => "FeastObjectNotFoundException",
        (Kind::Denied, _) => "FeastPermissionError",
        (Kind::Conflict, Some(kind)) if is_view(kind) => "ConflictingFeatureViewNames",
        (Kind::Invalid | Kind::Conflict | Kind::Refused | Kind::Unsupported, _) => "FeastError",
        (Kind::Unavailable | Kind::Deadline | Kind::Unauthenticated | Kind::Cancelled | Kind::Internal, _) => {
            return None;
        }
    })
}

const fn is_view(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::FeatureView
            | ObjectKind::OnDemandFeatureView
            | ObjectKind::StreamFeatureView
            | ObjectKind::LabelView
    )
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
