//! Failures as the status of a call: one table of codes, and of Feast's classes, which its clients raise again.

use tonic::{Code, Status};

use crate::{
    daemon::status::{code, message, shortened},
    feast::{FeastError, flight::CommandError},
    problem::{Kind, Problem, Subject},
};

/// There are too many commands at a time.
pub(super) fn full() -> Status {
    Status::resource_exhausted("the server is busy: too many commands wait already (ask again later)")
}

/// A command has waited too long.
pub(super) fn busy() -> Status {
    Status::unavailable("the server is busy: the command has not begun in the time that it may wait (ask again later)")
}

/// The status of a descriptor that is no command.
pub(super) fn no_command(error: &CommandError) -> Status {
    let code = match error {
        CommandError::UnknownApi(_) => Code::Unimplemented,
        _ => Code::InvalidArgument,
    };
    Status::new(code, shortened(error.to_string()))
}

/// The status of a problem.
pub(super) fn status(problem: &Problem) -> Status {
    let message = message(problem);
    match class(problem) {
        Some(class) => Status::new(code(problem), FeastError::new(class, message).to_string()),
        None => Status::new(code(problem), message),
    }
}

/// The class that stands for a problem in `feast.errors`, if clients know one.
const fn class(problem: &Problem) -> Option<&'static str> {
    Some(match (problem.subject, problem.kind) {
        (Some(Subject::FeatureView), Kind::NotFound) => "FeatureViewNotFoundException",
        (Some(Subject::FeatureService), Kind::NotFound) => "FeatureServiceNotFoundException",
        (Some(Subject::DataSource), Kind::NotFound) => "DataSourceObjectNotFoundException",
        (Some(Subject::FeatureNames), _) => "FeatureNameCollisionError",
        (Some(Subject::RequestData), _) => "RequestDataNotFoundInEntityDfException",
        (_, Kind::Denied | Kind::Unauthenticated) => "FeastPermissionError",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_feasts_classes_where_they_know_them() {
        let missing = Problem::new(Kind::NotFound, "there is no view", None).about(Subject::FeatureView);
        let told = status(&missing);
        assert_eq!(told.code(), Code::NotFound);
        assert_eq!(FeastError::find(told.message()).unwrap().class, "FeatureViewNotFoundException");
        let denied = status(&Problem::new(Kind::Denied, "no", None));
        assert_eq!(denied.code(), Code::PermissionDenied);
        assert_eq!(FeastError::find(denied.message()).unwrap().class, "FeastPermissionError");
        let away = status(&Problem::new(Kind::Unavailable, "it is away", "wait".to_owned()));
        assert_eq!((away.code(), away.message()), (Code::Unavailable, "it is away (wait)"));
    }

    #[test]
    fn a_long_message_is_cut_and_still_parsed() {
        let long = Problem::new(Kind::NotFound, "ä\"".repeat(100_000), None).about(Subject::DataSource);
        let told = status(&long);
        assert!(told.message().len() < 6_000);
        assert!(FeastError::find(told.message()).unwrap().message.ends_with('…'));
    }

    #[test]
    fn what_is_no_command_is_the_clients_mistake() {
        assert_eq!(no_command(&CommandError::UnknownApi("nope".to_owned())).code(), Code::Unimplemented);
        assert_eq!(no_command(&CommandError::NoApi).code(), Code::InvalidArgument);
    }
}
