//! The registry of Feast's server, which gives and takes objects one by one. What its protocol has no place for is nowhere:
//! notes of feastr (who owns an object, which online values are left to be removed), the history of runs, locks of views.
//! Versions of views the server makes itself.

mod messages;
mod steps;

use std::sync::Arc;

use prost::Message as _;
use tonic::{Code, Status};

use self::{
    messages::{AnyView, Done, GotView, Listed, Project, UpdateInfra, apply_view, words},
    steps::{Step, steps},
};
use super::server::{ANSWER, Asking, Method, RegistryServer, Unanswered};
use crate::{
    feast::{
        registry::{Stored, file::FileObject, without_function},
        registry_server::{
            Apply, ApplyMaterialization, ApplyProject, Delete, DeleteProject, Get, GetProject, ListObjects,
            ListProjects, OfProject, SERVICE,
        },
    },
    model::{ChangeRecord, Object, ObjectId, ObjectKind, RunRecord, ViewId},
    problem::{Kind, Problem},
    registry::{
        change_log::{ChangeLog, WantedChanges},
        locks::{Holder, Locks, ViewLock},
        objects::{Mark, Objects, Row, Snapshot, VersionRow, Write},
        run_log::RunLog,
        traits::Registry,
    },
};

/// How often a decision is made again because somebody else changes the registry.
const ATTEMPTS: usize = 5;

/// The registry of a server.
pub(super) struct FeastsRegistry(Arc<RegistryServer>);

impl FeastsRegistry {
    /// The registry of a server that offers what Feast's does.
    pub(super) const fn new(server: Arc<RegistryServer>) -> Self {
        Self(server)
    }

    /// The problem of what the server does not keep.
    fn without(&self, what: &str) -> Problem {
        Problem::new(
            Kind::Unsupported,
            format!("{} is Feast's, which keeps no {what}", self.0.name()),
            "a registry server of feastr keeps it, and so do registries without a server".to_owned(),
        )
    }

    /// Carries out calls one after another.
    fn carry_out(&self, project: &str, steps: &[Step<'_>]) -> Result<(), Problem> {
        for (done, step) in steps.iter().enumerate() {
            let result = self.0.ask(async |asking| call(&asking, project, step).await);
            // Somebody else was faster.
            if matches!((step, &result), (Step::Delete(..), Err(Unanswered::Refused(problem))) if problem.kind == Kind::NotFound)
            {
                continue;
            }
            result.map_err(|unanswered| self.interrupted(done, steps, unanswered))?;
        }
        Ok(())
    }

    /// The problem of a change that ended early: Feast's server has no transactions.
    fn interrupted(&self, done: usize, steps: &[Step<'_>], unanswered: Unanswered) -> Problem {
        let about = steps.get(done).map(described).unwrap_or_default();
        let is_lost = matches!(unanswered, Unanswered::Lost(_));
        let problem = unanswered.problem();
        let doubt = if is_lost { ", or has it and its answer was lost" } else { "" };
        let message = format!(
            "{} (it carried out {done} of {} changes, and not the one of {about}{doubt})",
            problem.message,
            steps.len()
        );
        let then = "do the same again: what is there already stays as it is";
        let help = problem.help().map_or_else(|| then.to_owned(), |help| format!("{help}; then {then}"));
        Problem::new(problem.kind, message, help)
    }

    /// Says when the server has left objects as they were: Feast compares some of their fields only.
    fn check(&self, project: &str, steps: &[Step<'_>]) -> Result<(), Problem> {
        let applied: Vec<&Row> =
            steps.iter().filter_map(|step| if let Step::Apply(row) = step { Some(*row) } else { None }).collect();
        if applied.is_empty() {
            return Ok(());
        }
        let after = self.snapshot(project)?;
        let is_taken_over = |row: &&Row| {
            let stored = after.rows.iter().find(|stored| stored.id() == row.id());
            stored.is_some_and(|stored| stored.proto == row.proto || object(stored) == object(row))
        };
        let left: Vec<String> =
            applied.into_iter().filter(|row| !is_taken_over(row)).map(|row| row.id().to_string()).collect();
        if left.is_empty() {
            return Ok(());
        }
        let message = format!(
            "{} left as they were, or has otherwise than they were sent: {} (Feast compares some of their fields only)",
            self.0.name(),
            left.join(", ")
        );
        let help = "all other changes are there; remove and apply these again, or use a registry server of feastr";
        Err(Problem::new(Kind::Conflict, message, help.to_owned()))
    }

    fn change(
        &self,
        project: &str,
        read: &dyn Fn() -> Result<Snapshot, Problem>,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        let mut before = read()?;
        for _ in 0..ATTEMPTS {
            let Some(writes) = decide(&before) else { return Ok(()) };
            let now = read()?;
            if is_same(&now, &before) {
                let steps = steps(&writes, &before);
                self.carry_out(project, &steps)?;
                return self.check(project, &steps);
            }
            before = now;
        }
        let message = format!("others keep changing the registry {} at the same time", self.location());
        Err(Problem::new(Kind::Conflict, message, "nothing was changed; try again when they are done".to_owned()))
    }

    /// The objects of a kind.
    async fn list(asking: &Asking, project: &str, kind: ObjectKind) -> Result<Vec<Row>, Status> {
        if kind == ObjectKind::Project {
            return Ok(project_of(asking, project).await?.into_iter().collect());
        }
        let list = ListObjects { project: project.to_owned(), ..ListObjects::default() };
        let listed: Listed = asking.unary(method(&format!("List{}", words(kind).1)), list, ANSWER).await?;
        listed.objects.iter().map(|object| row(kind, object)).collect()
    }
}

/// The object of a row, as far as feastr knows it.
fn object(row: &Row) -> Option<Object> {
    Stored::read(row.kind, &row.name, &row.proto).object.ok().or_else(|| without_function(row.kind, &row.proto))
}

/// Whether two snapshots say the same: in copies of views that others hold, Feast's server sends other times with each
/// answer.
fn is_same(one: &Snapshot, other: &Snapshot) -> bool {
    let materialized = |row: &Row| Stored::read(row.kind, &row.name, &row.proto).materialized;
    let is_same_row = |(one, other): (&Row, &Row)| {
        let says_same = || object(one) == object(other) && materialized(one) == materialized(other);
        one.id() == other.id() && (one.proto == other.proto || says_same())
    };
    one.infra == other.infra && one.rows.len() == other.rows.len() && one.rows.iter().zip(&other.rows).all(is_same_row)
}

/// A method of the service.
const fn method(name: &str) -> Method<'_> {
    Method { service: SERVICE, name }
}

/// An object that was sent; the time of its row is not told.
fn row(kind: ObjectKind, bytes: &[u8]) -> Result<Row, Status> {
    let object = FileObject::read(kind, bytes)
        .ok_or_else(|| Status::internal(format!("the server sent what is no {kind}, or one without a name")))?;
    Ok(Row { kind, updated: 0, proto: object.message(), name: object.name })
}

/// The project, if it is there.
async fn project_of(asking: &Asking, name: &str) -> Result<Option<Row>, Status> {
    let question = GetProject { name: name.to_owned(), allow_cache: false };
    let project = asking.unary::<_, Project>(method("GetProject"), question, ANSWER).await;
    found(project)?.map(|project| row(ObjectKind::Project, &project.encode_to_vec())).transpose()
}

/// What is there, or nothing.
fn found<T>(answer: Result<T, Status>) -> Result<Option<T>, Status> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status),
    }
}

/// What a call is about, for messages.
fn described(step: &Step<'_>) -> String {
    match step {
        Step::DeleteProject => "the removal of the project".to_owned(),
        Step::Apply(row) | Step::Materialized(row, _) => row.id().to_string(),
        Step::Delete(kind, name) => ObjectId::new(*kind, *name).to_string(),
        Step::Infra(_) => "the record of online tables".to_owned(),
    }
}

async fn call(asking: &Asking, project: &str, step: &Step<'_>) -> Result<(), Status> {
    let (name, project) = (project.to_owned(), project.to_owned());
    let Done {} = match step {
        Step::DeleteProject => {
            asking.unary(method("DeleteProject"), DeleteProject { name, commit: true }, ANSWER).await?
        }
        Step::Apply(row) if row.kind == ObjectKind::Project => {
            let apply = ApplyProject { project: row.proto.clone().into(), commit: true };
            asking.unary(method("ApplyProject"), apply, ANSWER).await?
        }
        Step::Apply(row) if row.kind.is_view() => {
            let apply = apply_view(row.kind, row.proto.clone().into(), &project);
            asking.unary(method("ApplyFeatureView"), apply, ANSWER).await?
        }
        Step::Apply(row) => {
            let apply = Apply { object: row.proto.clone().into(), project, commit: true };
            asking.unary(method(&format!("Apply{}", words(row.kind).0)), apply, ANSWER).await?
        }
        Step::Materialized(row, _) if row.kind != ObjectKind::FeatureView => {
            return Err(Status::unimplemented(format!(
                "Feast's server has no call by which it learns what was materialized of a {}",
                row.kind
            )));
        }
        Step::Materialized(row, interval) => {
            let (start_date, end_date) = (Some(interval.start.into()), Some(interval.end.into()));
            let feature_view = row.proto.clone().into();
            let note = ApplyMaterialization { feature_view, project, start_date, end_date, commit: true };
            asking.unary(method("ApplyMaterialization"), note, ANSWER).await?
        }
        Step::Delete(kind, object) => {
            let delete = Delete { name: (*object).to_owned(), project, commit: true };
            asking.unary(method(&format!("Delete{}", words(*kind).0)), delete, ANSWER).await?
        }
        Step::Infra(infra) => {
            let update = UpdateInfra { infra: infra.to_vec(), project, commit: true };
            asking.unary(method("UpdateInfra"), update, ANSWER).await?
        }
    };
    Ok(())
}

impl Objects for FeastsRegistry {
    fn snapshot(&self, project: &str) -> Result<Snapshot, Problem> {
        self.0.read(async |asking| {
            let mut snapshot = Snapshot::default();
            for kind in ObjectKind::ALL {
                snapshot.rows.extend(Self::list(&asking, project, kind).await?);
            }
            snapshot.rows.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
            let question = OfProject { project: project.to_owned(), allow_cache: false };
            let infra: Listed = asking.unary(method("GetInfra"), question, ANSWER).await?;
            snapshot.infra = (!infra.objects.is_empty()).then(|| infra.encode_to_vec());
            Ok(snapshot)
        })
    }

    fn view(&self, view: ViewId<'_>) -> Result<Snapshot, Problem> {
        let found = self.0.read(async |asking| {
            let question = Get { name: view.name.to_owned(), project: view.project.to_owned(), allow_cache: false };
            let answer = asking.unary::<_, GotView>(method("GetAnyFeatureView"), question, ANSWER).await;
            let view = found(answer)?.and_then(|answer| answer.view).and_then(AnyView::into_object);
            view.map(|(kind, bytes)| row(kind, &bytes)).transpose()
        })?;
        Ok(Snapshot { rows: found.into_iter().collect(), ..Snapshot::default() })
    }

    fn names(&self, project: &str, kinds: &[ObjectKind]) -> Result<Vec<ObjectId>, Problem> {
        self.0.read(async |asking| {
            let mut names = Vec::new();
            for kind in kinds {
                names.extend(Self::list(&asking, project, *kind).await?.iter().map(Row::id));
            }
            names.sort();
            Ok(names)
        })
    }

    /// There is nothing of the kind that would be cheaper than to read all.
    fn mark(&self, _: &str) -> Result<Option<Mark>, Problem> {
        Ok(None)
    }

    /// The server keeps them, and tells nobody.
    fn versions(&self, _: &str) -> Result<Vec<VersionRow>, Problem> {
        Ok(Vec::new())
    }

    fn projects(&self) -> Result<Vec<String>, Problem> {
        let mut projects = self.0.read(async |asking| {
            let list = ListProjects::default();
            let listed: Listed = asking.unary(method("ListProjects"), list, ANSWER).await?;
            let names = listed.objects.iter().map(|project| Ok(row(ObjectKind::Project, project)?.name));
            names.collect::<Result<Vec<_>, Status>>()
        })?;
        projects.sort();
        Ok(projects)
    }

    fn update(&self, project: &str, decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>) -> Result<(), Problem> {
        self.change(project, &|| self.snapshot(project), decide)
    }

    fn update_view(
        &self,
        view: ViewId<'_>,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        self.change(view.project, &|| self.view(view), decide)
    }
}

impl Locks for FeastsRegistry {
    /// Nobody else is kept from the view: the server has no locks.
    fn lock_view(&self, _: ViewId<'_>) -> Result<ViewLock, Problem> {
        Ok(ViewLock::new(()))
    }

    fn view_holder(&self, _: ViewId<'_>) -> Result<Option<Holder>, Problem> {
        Ok(None)
    }
}

impl RunLog for FeastsRegistry {
    fn create_run_log(&self) -> Result<(), Problem> {
        Ok(())
    }

    /// Nothing is kept of it.
    fn record_run(&self, _: &str, _: &RunRecord) -> Result<(), Problem> {
        Ok(())
    }

    fn runs(&self, _: &str, _: &[String], _: usize) -> Result<Vec<RunRecord>, Problem> {
        Err(self.without("history of runs"))
    }

    fn forget_runs(&self, _: &str) -> Result<(), Problem> {
        Ok(())
    }
}

impl ChangeLog for FeastsRegistry {
    fn changes(&self, _: &str, _: &WantedChanges) -> Result<Vec<ChangeRecord>, Problem> {
        Err(self.without("log of changes"))
    }
}

impl Registry for FeastsRegistry {
    fn location(&self) -> String {
        self.0.location()
    }
}
