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
    model::{Author, Object, ObjectKind, OfKind, Project, RegistryState, Repo, Timestamp},
    registry::{Memory, Objects as _, Row, Snapshot, Write, read_objects},
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
    let state = read_objects(&snapshot);
    for repo in [repo(&RegistryState::default()), repo(&state)] {
        let now = Timestamp::from_micros(1);
        let options = ApplyOptions { repo_name: None, approval: Approval::Everything, author: Author::NOBODY, now };
        let registry = Memory::default();
        let writes = vec![Write::Put(snapshot.rows[0].clone()), Write::PutInfra { proto: proto.to_vec(), updated: 0 }];
        registry.update("p", &mut |_| Some(writes.clone())).unwrap();
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

/// Definitions of what a registry holds, each with another description or, where there is none, another tag.
fn repo(state: &RegistryState) -> Repo {
    let named = |name: &str| Project {
        name: name.to_owned(),
        description: String::new(),
        owner: String::new(),
        tags: BTreeMap::new(),
    };
    let stored = state.objects.values().find_map(Project::of);
    let other = state.objects.values().filter(|object| Project::of(object).is_none()).cloned().map(|mut object| {
        match &mut object {
            Object::Project(_) => {}
            Object::DataSource(source) => source.description.push('!'),
            Object::Entity(entity) => entity.description.push('!'),
            Object::FeatureView(view) => view.description.push('!'),
            Object::OnDemandFeatureView(view) => view.description.push('!'),
            Object::StreamFeatureView(view) => view.description.push('!'),
            Object::LabelView(view) => view.description.push('!'),
            Object::FeatureService(service) => service.description.push('!'),
            Object::Permission(permission) => drop(permission.tags.insert("k".to_owned(), "v".to_owned())),
            Object::SavedDataset(dataset) => drop(dataset.tags.insert("k".to_owned(), "v".to_owned())),
            Object::ValidationReference(reference) => drop(reference.tags.insert("k".to_owned(), "v".to_owned())),
        }
        object
    });
    Repo::new(stored.cloned().unwrap_or_else(|| named("p"))).with(other)
}
