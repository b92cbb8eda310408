use std::collections::BTreeMap;

use feastr::{
    apply::{ApplyOptions, Approval, apply},
    feast::{
        registry::{
            dump_json::{registry_dump, to_registry},
            messages as wire,
        },
        values::{entity_key, value::Value},
    },
    model::{Object, ObjectKind, Project, RegistryState, Repo, RunRecord, Timestamp},
    problem::Problem,
    registry::{Holder, Locks, Objects, Registry, Row, RunLog, Snapshot, VersionRow, ViewLock, Write, state},
};

/// The kinds of rows a registry has; the first byte of the input chooses.
pub const KINDS: [ObjectKind; 11] = [
    ObjectKind::Project,
    ObjectKind::Entity,
    ObjectKind::DataSource,
    ObjectKind::FeatureView,
    ObjectKind::OnDemandFeatureView,
    ObjectKind::StreamFeatureView,
    ObjectKind::LabelView,
    ObjectKind::FeatureService,
    ObjectKind::Permission,
    ObjectKind::SavedDataset,
    ObjectKind::ValidationReference,
];

/// A damaged registry: it can be shown, planned and written.
pub fn registry(bytes: &[u8]) {
    let Some((first, proto)) = bytes.split_first() else { return };
    stable::<wire::Registry>(proto);
    stable::<wire::Infra>(proto);
    let kind = KINDS[usize::from(*first) % KINDS.len()];
    let row = Row { kind, name: "a".to_owned(), updated: 0, proto: proto.to_vec() };
    let snapshot = Snapshot { rows: vec![row], infra: Some(proto.to_vec()), ..Snapshot::default() };
    if let Ok(message) = to_registry([(kind, proto)], Some(proto)) {
        stable::<wire::Registry>(&prost::Message::encode_to_vec(&message));
        registry_dump("p", &message).unwrap();
    }
    let state = state(&snapshot);
    let registry = Held(snapshot);
    for repo in [repo(&RegistryState::default()), repo(&state)] {
        let options = ApplyOptions { repo_name: None, approval: Approval::Everything, now: Timestamp::from_micros(1) };
        if let Ok(plan) = apply(&repo, &registry, None, options) {
            plan.to_json().unwrap();
        }
    }
}

/// A value and a key of an online store.
pub fn values(bytes: &[u8]) {
    stable::<Value>(bytes);
    if let Ok(value) = wire::decode::<Value>(bytes) {
        drop((value.to_json(), value.to_text()));
    }
    drop(entity_key::decode(bytes));
}

/// What was read and written is read and written alike.
fn stable<M: prost::Message + Default>(bytes: &[u8]) {
    if let Ok(message) = wire::decode::<M>(bytes) {
        let written = message.encode_to_vec();
        assert_eq!(wire::decode::<M>(&written).unwrap().encode_to_vec(), written);
    }
}

/// A registry that holds one snapshot for ever.
struct Held(Snapshot);

impl Objects for Held {
    fn snapshot(&self, _: &str) -> Result<Snapshot, Problem> {
        Ok(self.0.clone())
    }

    fn versions(&self, _: &str) -> Result<Vec<VersionRow>, Problem> {
        Ok(Vec::new())
    }

    fn projects(&self) -> Result<Vec<String>, Problem> {
        Ok(Vec::new())
    }

    fn update(&self, _: &str, decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>) -> Result<(), Problem> {
        decide(&self.0);
        Ok(())
    }

    fn view(&self, _: &str, _: &str) -> Result<Snapshot, Problem> {
        Ok(self.0.clone())
    }

    fn update_view(
        &self,
        project: &str,
        _: &str,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        self.update(project, decide)
    }
}

impl Locks for Held {
    fn lock_view(&self, _: &str, _: &str) -> Result<ViewLock, Problem> {
        Ok(ViewLock::new(()))
    }

    fn view_holder(&self, _: &str, _: &str) -> Result<Option<Holder>, Problem> {
        Ok(None)
    }
}

impl RunLog for Held {
    fn create_run_log(&self) -> Result<(), Problem> {
        Ok(())
    }

    fn record_run(&self, _: &str, _: &RunRecord) -> Result<(), Problem> {
        Ok(())
    }

    fn runs(&self, _: &str, _: &[String], _: usize) -> Result<Vec<RunRecord>, Problem> {
        Ok(Vec::new())
    }

    fn forget_runs(&self, _: &str) -> Result<(), Problem> {
        Ok(())
    }
}

impl Registry for Held {
    fn location(&self) -> String {
        "memory".to_owned()
    }
}

/// Definitions of what a registry holds, each with another description or, where there is none, another tag.
fn repo(state: &RegistryState) -> Repo {
    let project =
        Project { name: "p".to_owned(), description: String::new(), owner: String::new(), tags: BTreeMap::new() };
    let mut repo = Repo::new(project);
    macro_rules! declare {
        ($list:ident, $object:expr, $($other:tt)+) => {{
            let mut object = $object.clone();
            object.$($other)+;
            repo.$list.push(object);
        }};
    }
    for object in state.objects.values() {
        match object {
            Object::Project(project) => repo.project = project.clone(),
            Object::DataSource(source) => declare!(data_sources, source, description.push('!')),
            Object::Entity(entity) => declare!(entities, entity, description.push('!')),
            Object::FeatureView(view) => declare!(feature_views, view, description.push('!')),
            Object::OnDemandFeatureView(view) => declare!(on_demand_feature_views, view, description.push('!')),
            Object::StreamFeatureView(view) => declare!(stream_feature_views, view, description.push('!')),
            Object::LabelView(view) => declare!(label_views, view, description.push('!')),
            Object::FeatureService(service) => declare!(feature_services, service, description.push('!')),
            Object::Permission(permission) => {
                declare!(permissions, permission, tags.insert("k".to_owned(), "v".to_owned()));
            }
            Object::SavedDataset(dataset) => {
                declare!(saved_datasets, dataset, tags.insert("k".to_owned(), "v".to_owned()));
            }
            Object::ValidationReference(reference) => {
                declare!(validation_references, reference, tags.insert("k".to_owned(), "v".to_owned()));
            }
        }
    }
    repo
}
