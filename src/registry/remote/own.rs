//! The registry of a server of feastr, which gives it and takes changes in whole: a decision is made about a snapshot, and
//! carried out in one transaction where the registry still is that; else it is made again.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    thread::sleep,
    time::{Duration, Instant},
};

use tonic::Status;

use super::{
    hold::{self, Held, Keeper},
    protocol::{
        self, ChangesPart, Gathered, Mark as WireMark, Names, NamesRequest, Nothing, ProjectRequest, Projects,
        RunRequest, RunsPart, RunsRequest, SnapshotPart, Unknown, UpdateHead, Updated, VersionsPart, ViewRequest,
        changes_request, read_name, update_parts, version_row,
    },
    server::{ANSWER, Method, RegistryServer, Unanswered},
};
use crate::{
    model::{ChangeRecord, ObjectId, ObjectKind, RunRecord, Timestamp, ViewId},
    problem::{Advice, Kind, Problem},
    registry::{
        change_log::{ChangeLog, WantedChanges},
        is_carried_out::is_carried_out,
        locks::{Holder, Locking, Locks, ViewLock},
        objects::{Mark, Objects, Snapshot, VersionRow, Write},
        pauses::Pauses,
        run_log::RunLog,
        traits::Registry,
    },
};

/// How long a server that went away during a change is waited for, to see what became of it.
const RETURN: Duration = Duration::from_secs(8);

/// The registry.
pub(super) struct OwnRegistry {
    server: Arc<RegistryServer>,
    locking: Arc<Locking>,
    /// The locks of views that are held through this.
    held: Mutex<Vec<Weak<Keeper>>>,
}

/// What of a project is read or changed.
#[derive(Debug, Clone, Copy)]
struct Extent<'a> {
    project: &'a str,
    /// `None` is the whole.
    view: Option<&'a str>,
}

/// What became of a change that was sent.
enum Sent {
    Done,
    /// The registry is not what the decision was made on.
    Stale,
}

impl OwnRegistry {
    /// The registry of a server that offers it in whole.
    pub(super) fn new(server: Arc<RegistryServer>, locking: Arc<Locking>) -> Self {
        Self { server, locking, held: Mutex::default() }
    }

    fn read(&self, extent: Extent<'_>) -> Result<Gathered, Problem> {
        let mut gathered = self.server.read(async |asking| {
            let mut gathered = Gathered::default();
            let take = |part: SnapshotPart| gathered.take(part).map_err(|error| newer(&error));
            let project = extent.project.to_owned();
            match extent.view {
                None => asking.parts(Method::own("GetSnapshot"), ProjectRequest { project }, take).await?,
                Some(view) => {
                    let question = ViewRequest { project, view: view.to_owned() };
                    asking.parts(Method::own("GetView"), question, take).await?;
                }
            }
            Ok(gathered)
        })?;
        gathered.snapshot.rows.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        Ok(gathered)
    }

    fn change(
        &self,
        extent: Extent<'_>,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        let (began, mut pauses) = (Instant::now(), Pauses::default());
        loop {
            let Gathered { snapshot, revision } = self.read(extent)?;
            let Some(writes) = decide(&snapshot) else { return Ok(()) };
            self.confirm_locks(extent)?;
            match self.send(extent, &revision, &writes)? {
                Sent::Done => return Ok(()),
                Sent::Stale if began.elapsed() >= self.locking.timeout && pauses.count > 0 => {
                    return Err(Problem::new(
                        Kind::Conflict,
                        format!("others keep changing the registry {} at the same time", self.location()),
                        "nothing was changed; try again when they are done".to_owned(),
                    ));
                }
                Sent::Stale => sleep(pauses.next()),
            }
        }
    }

    /// Sends a change. Where the answer is lost, what has become of it is looked for.
    fn send(&self, extent: Extent<'_>, revision: &str, writes: &[Write]) -> Result<Sent, Problem> {
        let mut lost: Option<(Instant, Problem)> = None;
        loop {
            let problem = match self.send_once(extent, revision, writes) {
                // A change that was carried out although its answer was lost looks as if somebody else had been faster.
                Ok(Sent::Stale) if lost.is_some() && self.is_there(extent, writes)? => return Ok(Sent::Done),
                Ok(sent) => return Ok(sent),
                Err(Unanswered::Refused(problem)) if lost.is_none() => return Err(problem),
                Err(unanswered) => unanswered.problem(),
            };
            let (since, first) = lost.get_or_insert((Instant::now(), problem));
            if since.elapsed() >= RETURN {
                let message = format!("{}; whether the changes were carried out is not known", first.message);
                return Err(Problem::new(first.kind, message, None).advise(Advice::LookWhetherChanged));
            }
            sleep(Duration::from_millis(500));
        }
    }

    fn send_once(&self, extent: Extent<'_>, revision: &str, writes: &[Write]) -> Result<Sent, Unanswered> {
        let patience = self.locking.timeout;
        let updated: Updated = self.server.ask(async |asking| {
            let head = UpdateHead {
                project: extent.project.to_owned(),
                view: extent.view.map(str::to_owned),
                revision: revision.to_owned(),
                who: self.locking.who.clone(),
                patience_micros: u64::try_from(patience.as_micros()).unwrap_or(u64::MAX),
            };
            let limit = ANSWER.saturating_add(patience);
            asking.upload(Method::own("Update"), update_parts(head, writes), limit).await
        })?;
        Ok(if updated.is_stale { Sent::Stale } else { Sent::Done })
    }

    /// Whether the registry is as these writes make it.
    fn is_there(&self, extent: Extent<'_>, writes: &[Write]) -> Result<bool, Problem> {
        Ok(is_carried_out(writes, &self.read(extent)?.snapshot, extent.view.is_some()))
    }

    /// Says when the lock of a view that is to be changed went to somebody else.
    fn confirm_locks(&self, extent: Extent<'_>) -> Result<(), Problem> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|keeper| keeper.strong_count() > 0);
        let ours: Vec<_> = held.iter().filter_map(Weak::upgrade).collect();
        drop(held);
        let of_extent = |keeper: &&Arc<Keeper>| {
            let ViewRequest { project, view } = keeper.view();
            project == extent.project && extent.view.is_none_or(|name| name == view)
        };
        ours.iter().filter(of_extent).try_for_each(|keeper| keeper.confirm())
    }
}

impl Objects for OwnRegistry {
    fn snapshot(&self, project: &str) -> Result<Snapshot, Problem> {
        Ok(self.read(Extent { project, view: None })?.snapshot)
    }

    fn view(&self, view: ViewId<'_>) -> Result<Snapshot, Problem> {
        Ok(self.read(Extent { project: view.project, view: Some(view.name) })?.snapshot)
    }

    fn names(&self, project: &str, kinds: &[ObjectKind]) -> Result<Vec<ObjectId>, Problem> {
        let names: Names = self.server.read(async |asking| {
            let kinds = kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
            asking.unary(Method::own("ListNames"), NamesRequest { project: project.to_owned(), kinds }, ANSWER).await
        })?;
        let read = |name| read_name(name).map_err(|error| self.newer(&error));
        let mut names = names.names.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        names.sort();
        Ok(names)
    }

    fn mark(&self, project: &str) -> Result<Option<Mark>, Problem> {
        let WireMark { text, settled_micros } = self.of_project("GetMark", project)?;
        Ok(text.map(|text| Mark { text, settled: Timestamp::from_micros(settled_micros) }))
    }

    fn versions(&self, project: &str) -> Result<Vec<VersionRow>, Problem> {
        self.server.read(async |asking| {
            let mut versions = Vec::new();
            let take = |part: VersionsPart| {
                versions.extend(part.versions.into_iter().map(version_row));
                Ok(())
            };
            asking.parts(Method::own("ListVersions"), ProjectRequest { project: project.to_owned() }, take).await?;
            Ok(versions)
        })
    }

    fn projects(&self) -> Result<Vec<String>, Problem> {
        let projects: Projects =
            self.server.read(async |asking| asking.unary(Method::own("ListProjects"), Nothing {}, ANSWER).await)?;
        Ok(projects.names)
    }

    fn update(&self, project: &str, decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>) -> Result<(), Problem> {
        self.change(Extent { project, view: None }, decide)
    }

    fn update_view(
        &self,
        view: ViewId<'_>,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        self.change(Extent { project: view.project, view: Some(view.name) }, decide)
    }
}

impl OwnRegistry {
    fn of_project<A>(&self, name: &str, project: &str) -> Result<A, Problem>
    where
        A: prost::Message + Default + Send + Sync + 'static,
    {
        let question = || ProjectRequest { project: project.to_owned() };
        self.server.read(async |asking| asking.unary(Method::own(name), question(), ANSWER).await)
    }

    fn newer(&self, error: &Unknown) -> Problem {
        Problem::new(Kind::Unsupported, format!("{}: {error}", self.server.name()), "use a newer feastr".to_owned())
    }
}

impl Locks for OwnRegistry {
    fn lock_view(&self, view: ViewId<'_>) -> Result<ViewLock, Problem> {
        let held: Held = hold::take(&self.server, view, &self.locking)?;
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(held.keeper());
        Ok(ViewLock::new(held))
    }

    fn view_holder(&self, view: ViewId<'_>) -> Result<Option<Holder>, Problem> {
        let question = || ViewRequest { project: view.project.to_owned(), view: view.name.to_owned() };
        let answer: protocol::HoldAnswer =
            self.server.read(async |asking| asking.unary(Method::own("GetViewHolder"), question(), ANSWER).await)?;
        Ok(answer.held_by.map(Holder::from))
    }
}

impl RunLog for OwnRegistry {
    fn create_run_log(&self) -> Result<(), Problem> {
        self.server.read(async |asking| {
            let _: Nothing = asking.unary(Method::own("CreateRunLog"), Nothing {}, ANSWER).await?;
            Ok(())
        })
    }

    /// Noting a run once more changes nothing, so an answer that is lost is asked for again.
    fn record_run(&self, project: &str, run: &RunRecord) -> Result<(), Problem> {
        let run = serde_json::to_vec(run).map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
        self.server.read(async |asking| {
            let note = RunRequest { project: project.to_owned(), run: run.clone() };
            let _: Nothing = asking.unary(Method::own("RecordRun"), note, ANSWER).await?;
            Ok(())
        })
    }

    fn runs(&self, project: &str, views: &[String], limit: usize) -> Result<Vec<RunRecord>, Problem> {
        self.server.read(async |asking| {
            let mut runs = Vec::new();
            let take = |part: RunsPart| {
                // Of what a newer feastr noted, what is understood is shown.
                runs.extend(part.runs.iter().filter_map(|run| serde_json::from_slice(run).ok()));
                Ok(())
            };
            let limit = u64::try_from(limit).unwrap_or(u64::MAX);
            let question = RunsRequest { project: project.to_owned(), views: views.to_vec(), limit };
            asking.parts(Method::own("ListRuns"), question, take).await?;
            Ok(runs)
        })
    }

    fn forget_runs(&self, project: &str) -> Result<(), Problem> {
        self.of_project("ForgetRuns", project).map(|_: Nothing| ())
    }
}

impl ChangeLog for OwnRegistry {
    fn changes(&self, project: &str, wanted: &WantedChanges) -> Result<Vec<ChangeRecord>, Problem> {
        self.server.read(async |asking| {
            let mut changes = Vec::new();
            let take = |part: ChangesPart| {
                changes.extend(part.changes.iter().filter_map(|change| serde_json::from_slice(change).ok()));
                Ok(())
            };
            asking.parts(Method::own("ListChanges"), changes_request(project, wanted), take).await?;
            Ok(changes)
        })
    }
}

impl Registry for OwnRegistry {
    fn location(&self) -> String {
        self.server.location()
    }
}

fn newer(error: &Unknown) -> Status {
    Status::unimplemented(format!("{error} (use a newer feastr)"))
}
