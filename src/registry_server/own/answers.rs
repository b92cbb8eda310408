//! What is answered at once: what the registry holds, and what is noted of runs.

use serde::Serialize;

use super::call::Asked;
use crate::{
    app::registered::{
        Freshness, list_projects,
        own::{self, Extent},
    },
    model::{ObjectKind, RunRecord, Tags, ViewId},
    problem::{Kind, Problem},
    registry::remote::protocol::{
        ChangesPart, ChangesRequest, HoldAnswer, Mark, Names, NamesRequest, Nothing, PART, ProjectRequest, Projects,
        RunRequest, RunsPart, RunsRequest, SnapshotPart, VersionsPart, ViewRequest, names_of, revision, snapshot_parts,
        version_parts, wanted_changes,
    },
};

type Parts<A> = Result<Vec<A>, Problem>;

pub(super) fn snapshot(asked: &Asked, question: ProjectRequest) -> Parts<SnapshotPart> {
    parts_of(asked, Extent { project: &question.project, view: None })
}

pub(super) fn view(asked: &Asked, question: ViewRequest) -> Parts<SnapshotPart> {
    parts_of(asked, Extent { project: &question.project, view: Some(&question.view) })
}

fn parts_of(asked: &Asked, extent: Extent<'_>) -> Parts<SnapshotPart> {
    let (whole, visible) = own::snapshot(&asked.state.registry, &asked.caller, extent)?;
    Ok(snapshot_parts(&visible, revision(&whole)))
}

pub(super) fn names(asked: &Asked, question: NamesRequest) -> Parts<Names> {
    let named = |word: &String| ObjectKind::ALL.into_iter().find(|kind| kind.as_str() == word);
    // Of a kind that is not known there is none.
    let kinds: Vec<ObjectKind> = question.kinds.iter().filter_map(named).collect();
    Ok(vec![names_of(&own::names(&asked.state.registry, &asked.caller, &question.project, &kinds)?)])
}

pub(super) fn mark(asked: &Asked, question: ProjectRequest) -> Parts<Mark> {
    let mark = own::mark(&asked.state.registry, &question.project)?;
    let settled_micros = mark.as_ref().map_or(0, |mark| mark.settled.micros());
    Ok(vec![Mark { text: mark.map(|mark| mark.text), settled_micros }])
}

pub(super) fn versions(asked: &Asked, question: ProjectRequest) -> Parts<VersionsPart> {
    Ok(version_parts(&own::versions(&asked.state.registry, &asked.caller, &question.project)?))
}

pub(super) fn projects(asked: &Asked, _: Nothing) -> Parts<Projects> {
    let projects = list_projects(&asked.state.registry, &asked.caller, &Tags::new(), Freshness::Now)?;
    Ok(vec![Projects { names: projects.iter().map(|project| project.name.clone()).collect() }])
}

pub(super) fn view_holder(asked: &Asked, question: ViewRequest) -> Parts<HoldAnswer> {
    let view = ViewId { project: &question.project, name: &question.view };
    let holder = own::view_holder(&asked.state.registry, &asked.caller, view)?;
    Ok(vec![HoldAnswer { held_by: holder.map(Into::into) }])
}

pub(super) fn create_run_log(asked: &Asked, _: Nothing) -> Parts<Nothing> {
    own::create_run_log(&asked.state.registry)?;
    Ok(vec![Nothing {}])
}

pub(super) fn record_run(asked: &Asked, question: RunRequest) -> Parts<Nothing> {
    let run: RunRecord = serde_json::from_slice(&question.run)
        .map_err(|error| Problem::new(Kind::Invalid, format!("this is no note about a run: {error}"), None))?;
    own::record_run(&asked.state.registry, &asked.caller, &question.project, &run)?;
    Ok(vec![Nothing {}])
}

pub(super) fn runs(asked: &Asked, question: RunsRequest) -> Parts<RunsPart> {
    let limit = usize::try_from(question.limit).unwrap_or(usize::MAX);
    let (registry, caller) = (&asked.state.registry, &asked.caller);
    let runs = own::runs(registry, caller, &question.project, &question.views, limit)?;
    Ok(in_parts(&runs)?.into_iter().map(|runs| RunsPart { runs }).collect())
}

pub(super) fn changes(asked: &Asked, question: ChangesRequest) -> Parts<ChangesPart> {
    let project = question.project.clone();
    let wanted = wanted_changes(question)
        .map_err(|error| Problem::new(Kind::Unsupported, error.to_string(), "use a newer feastr".to_owned()))?;
    let changes = own::changes(&asked.state.registry, &asked.caller, &project, &wanted)?;
    Ok(in_parts(&changes)?.into_iter().map(|changes| ChangesPart { changes }).collect())
}

/// Notes as JSON, as many in a part as it has room for.
fn in_parts(notes: &[impl Serialize]) -> Parts<Vec<Vec<u8>>> {
    let (mut parts, mut bytes) = (Vec::new(), PART);
    for note in notes {
        let json = serde_json::to_vec(note).map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
        bytes += json.len();
        match parts.last_mut() {
            Some(last) if bytes <= PART => Vec::push(last, json),
            _ => {
                bytes = json.len();
                parts.push(vec![json]);
            }
        }
    }
    Ok(parts)
}

pub(super) fn forget_runs(asked: &Asked, question: ProjectRequest) -> Parts<Nothing> {
    own::forget_runs(&asked.state.registry, &asked.caller, &question.project)?;
    Ok(vec![Nothing {}])
}
