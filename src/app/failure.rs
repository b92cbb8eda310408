use std::error::Error;

use crate::{
    apply::ApplyError,
    clients::runtime::NoRuntime,
    diagnostics::Diagnostics,
    plan::{Blocked, Conflict, Difference},
    problem::{Kind, Problem},
};

/// Why a use case was not carried out.
#[derive(Debug)]
pub enum Failure {
    /// Findings about the repo's files.
    Definitions(Diagnostics),
    /// Definitions that the registry has no place for.
    Conflicts(Vec<Conflict>),
    /// Changes do harm that nobody agreed to; nothing was done.
    Blocked(Vec<Blocked>),
    /// The approved plan is not what would be done now; nothing was done.
    Stale(Vec<Difference>),
    /// Everything else.
    Problem(Problem),
}

impl Failure {
    /// Whose fault it is and whether asking again helps.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Definitions(_) => Kind::Invalid,
            // A conflict over an object of another repo is the refusal of a guard.
            Self::Conflicts(conflicts) if conflicts.iter().all(|conflict| conflict.owner.is_some()) => Kind::Refused,
            Self::Conflicts(_) => Kind::Conflict,
            Self::Blocked(_) | Self::Stale(_) => Kind::Refused,
            Self::Problem(problem) => problem.kind,
        }
    }
}

impl Failure {
    /// The failure in a sentence or several, for faces that say no more of it.
    pub fn into_problem(self) -> Problem {
        let kind = self.kind();
        let lines: Vec<String> = match self {
            Self::Problem(problem) => return problem,
            Self::Definitions(found) => found.into_sorted().into_iter().map(|found| found.message).collect(),
            Self::Conflicts(conflicts) => conflicts.iter().map(ToString::to_string).collect(),
            Self::Blocked(blocked) => blocked.iter().map(ToString::to_string).collect(),
            Self::Stale(differences) => differences.iter().map(ToString::to_string).collect(),
        };
        Problem::new(kind, lines.join("; "), None)
    }
}

/// For faces that say no more of it.
impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        failure.into_problem()
    }
}

impl From<NoRuntime> for Failure {
    fn from(error: NoRuntime) -> Self {
        Problem::from(error).into()
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Problem(error.into())
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        let message = error.to_string();
        let problem = |kind, message, help: Option<&str>| Problem::new(kind, message, help.map(str::to_owned));
        Self::Problem(match error {
            ApplyError::Problem(problem) => problem,
            ApplyError::Conflicts(conflicts) => return Self::Conflicts(conflicts),
            ApplyError::Blocked(blocked) => return Self::Blocked(blocked),
            ApplyError::Stale(differences) => return Self::Stale(differences),
            ApplyError::Incomparable(source) => problem(Kind::Internal, format!("{message}: {source}"), None),
            ApplyError::UnknownFields { source, .. } => problem(
                Kind::Unsupported,
                format!("{message}: {source}"),
                Some("update feastr, or make the change with Feast"),
            ),
            ApplyError::Damaged { source, .. } => {
                let cause = source.source().map(ToString::to_string).unwrap_or_default();
                problem(Kind::Internal, format!("{message}: {source} ({cause})"), None)
            }
            ApplyError::PinConflict { .. } => problem(
                Kind::Conflict,
                message,
                Some(
                    "declare it as it was at that version, pin a number that is not taken, or write `version: latest`",
                ),
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ObjectId, ObjectKind};

    fn conflict(owner: Option<&str>) -> Conflict {
        let declared = ObjectId::new(ObjectKind::FeatureView, "v");
        Conflict { declared, existing: None, reason: String::new(), owner: owner.map(str::to_owned), place: None }
    }

    #[test]
    fn what_others_own_is_guarded_and_the_rest_is_in_the_way() {
        let kind = |owners: &[Option<&str>]| {
            Failure::from(ApplyError::Conflicts(owners.iter().map(|owner| conflict(*owner)).collect())).kind()
        };
        assert_eq!(kind(&[Some("others"), Some("others")]), Kind::Refused);
        assert_eq!([kind(&[None]), kind(&[Some("others"), None])], [Kind::Conflict; 2]);
    }

    #[test]
    fn what_nobody_agreed_to_is_refused() {
        let kinds = [ApplyError::Blocked(Vec::new()), ApplyError::Stale(Vec::new())];
        assert_eq!(kinds.map(|error| Failure::from(error).kind()), [Kind::Refused; 2]);
    }

    #[test]
    fn problems_of_stores_keep_their_kind() {
        let away = Problem::new(Kind::Unavailable, "it is away", None);
        assert_eq!(Failure::from(ApplyError::Problem(away)).kind(), Kind::Unavailable);
        let pinned = ApplyError::PinConflict { id: ObjectId::new(ObjectKind::FeatureView, "v"), number: 1 };
        assert_eq!(Failure::from(pinned).kind(), Kind::Conflict);
    }
}
