use crate::model::{ForeignObject, Object, ObjectId, ObjectKind, RegistryState, View};

/// Whose the objects of a registry are, as one repo sees it.
pub(crate) struct Ownership<'a> {
    state: &'a RegistryState,
    repo_name: Option<&'a str>,
}

impl<'a> Ownership<'a> {
    /// `repo_name` is the name the repo gives itself, if it does.
    pub(crate) fn new(state: &'a RegistryState, repo_name: Option<&'a str>) -> Self {
        Self { state, repo_name }
    }

    /// The repo with another name that applied an object.
    pub(crate) fn other_owner(&self, id: &ObjectId) -> Option<&'a str> {
        let owner = self.state.owners.get(id)?.as_str();
        (self.repo_name != Some(owner)).then_some(owner)
    }

    /// Why an object that the repo does not declare stays; `None` when it is to be deleted.
    pub(crate) fn reason_to_keep(&self, id: &ObjectId) -> Option<String> {
        if let Some(owner) = self.other_owner(id) {
            return Some(format!("it was applied by repo `{owner}`"));
        }
        if id.kind == ObjectKind::SavedDataset {
            return Some("saved datasets come from jobs".to_owned());
        }
        let unowned = !self.state.owners.contains_key(id);
        (self.repo_name.is_some() && unowned).then(|| "it was not applied by this repo".to_owned())
    }

    /// Whether a declared object that is stored gets an owner only now.
    pub(crate) fn takes_over(&self, id: &ObjectId) -> bool {
        self.repo_name.is_some() && self.state.objects.contains_key(id) && !self.state.owners.contains_key(id)
    }
}

/// Whether the registry holds a view, or a feature of one, that goes with an apply of a repo that does
/// not declare it.
pub fn removes(state: &RegistryState, repo_name: Option<&str>, view: &str, feature: Option<&str>) -> bool {
    let ownership = Ownership::new(state, repo_name);
    state.objects.iter().filter(|(id, _)| id.kind.is_view() && id.name == view).any(|(id, object)| match feature {
        None => ownership.reason_to_keep(id).is_none(),
        Some(feature) => {
            ownership.other_owner(id).is_none() && View::of(object).is_some_and(|view| view.feature(feature).is_some())
        }
    })
}

/// An object that stays although the repo does not declare it, as plans list it.
pub(crate) fn kept_object(id: &ObjectId, object: &Object, reason: String) -> ForeignObject {
    ForeignObject { id: id.clone(), reason, owner: object.owner().to_owned(), uses: Vec::new(), known: None }
}
