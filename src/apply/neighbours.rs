//! Online tables that views of several projects would share: Feast calls them `{project}_{view}`, so
//! that `eu_stats` of project `demo` and `stats` of project `demo_eu` have the same one.

use std::collections::BTreeMap;

use super::ApplyError;
use crate::{
    model::{ObjectId, ObjectKind, RegistryState, Repo, View, ViewId},
    online::{OnlineStore, RecordedTables},
    plan::Conflict,
    problem::Problem,
    registry::{Objects, read_objects},
};

/// Tables of other projects of the registry whose names start as those of a project do.
pub struct Neighbours<'a> {
    project: &'a str,
    online: &'a dyn OnlineStore,
    /// Project and view by the table.
    tables: BTreeMap<String, (String, ObjectId)>,
}

impl<'a> Neighbours<'a> {
    /// Looks for them. Where the registry records in which file a table is, those elsewhere do not count.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn of(project: &'a str, registry: &dyn Objects, online: &'a dyn OnlineStore) -> Result<Self, Problem> {
        let mut tables = BTreeMap::new();
        if online.table(ViewId { project, name: "" }).is_some() {
            let mut projects = registry.projects()?;
            projects.retain(|other| other != project && may_share(project, other));
            for other in projects {
                let state = read_objects(&registry.snapshot(&other)?);
                for view in views(&state) {
                    let id = ViewId { project: &other, name: &view.name };
                    if is_here(id, &state, online) {
                        tables.extend(online.table(id).map(|table| (table, (other.clone(), view.clone()))));
                    }
                }
            }
        }
        Ok(Self { project, online, tables })
    }

    /// Whether another project has the table of a view, too.
    pub fn have(&self, view: &str) -> bool {
        self.sharer(view).is_some()
    }

    /// The same of a table that the registry records.
    pub fn have_table(&self, table: &str) -> bool {
        let prefix = self.id("").table();
        table.strip_prefix(&prefix).is_some_and(|view| self.have(view))
    }

    fn id<'v>(&'v self, name: &'v str) -> ViewId<'v> {
        ViewId { project: self.project, name }
    }

    fn sharer(&self, view: &str) -> Option<&(String, ObjectId)> {
        self.tables.get(&self.online.table(self.id(view))?)
    }

    /// Refuses a repo with a view whose values would be mixed with those of another project.
    pub fn check(&self, repo: &Repo) -> Result<(), ApplyError> {
        let conflict = |view: View<'_>| {
            let (project, existing) = self.sharer(view.name)?;
            let declared = view.id();
            let place = repo.places.get(&declared).cloned();
            let table = self.online.table(self.id(view.name))?;
            let reason = format!(
                "both have the online table `{table}`: that one in project `{project}`, this one in `{}`",
                self.project
            );
            Some(Conflict { declared, existing: Some(existing.clone()), reason, owner: None, place })
        };
        let views = repo.views().filter(|view| !view.is_computed());
        let mut conflicts: Vec<Conflict> = views.filter_map(conflict).collect();
        conflicts.sort_by(|one, other| one.declared.cmp(&other.declared));
        if conflicts.is_empty() { Ok(()) } else { Err(ApplyError::Conflicts(conflicts)) }
    }
}

/// Whether views can be named such that tables of two projects are the same; letters may count
/// whatever their case.
fn may_share(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|project| format!("{}_", project.to_lowercase()));
    one.starts_with(&other) || other.starts_with(&one)
}

/// The views with tables, those among them that feastr does not manage, too.
fn views(state: &RegistryState) -> impl Iterator<Item = ObjectId> {
    let managed = state.views().filter(|view| !view.is_computed()).map(|view| view.id());
    let foreign = state.foreign_views().map(|foreign| foreign.id.clone());
    managed.chain(foreign.filter(|id| id.kind != ObjectKind::OnDemandFeatureView))
}

fn is_here(view: ViewId<'_>, state: &RegistryState, online: &dyn OnlineStore) -> bool {
    online
        .recorded_tables()
        .map(RecordedTables::layout)
        .is_none_or(|here| state.online_tables.get(&view.table()).is_some_and(|file| file == here.file))
}

#[cfg(test)]
mod tests {
    use super::may_share;

    #[test]
    fn only_projects_that_begin_alike_are_looked_at() {
        assert!(may_share("demo", "demo_eu") && may_share("demo_eu", "Demo") && may_share("demo", "DEMO"));
        assert!(!may_share("demo", "demo2") && !may_share("demo_us", "demo_eu"));
    }
}
