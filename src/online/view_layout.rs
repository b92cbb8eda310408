use crate::{
    feast::values::entity_key::EntityKeyEncoder,
    model::{DUMMY_JOIN_KEY, Field, View, ViewId},
    problem::{Kind, Problem},
};

/// Whose values they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewLayout {
    /// The project's name.
    pub project: String,
    /// The view's name.
    pub view: String,
    /// Feature names, in the order of the values of a row.
    pub features: Vec<String>,
    /// Names of the join keys; the dummy key for a view without entities.
    pub join_keys: Vec<String>,
}

impl ViewLayout {
    /// The layout of a view's values in the online store; there are none of a computed view.
    pub fn of<'a>(project: &str, view: impl Into<View<'a>>) -> Self {
        let view = view.into();
        let names = |fields: &[Field]| fields.iter().map(|field| field.name.clone()).collect();
        let join_keys = match view.join_keys() {
            [] => vec![DUMMY_JOIN_KEY.to_owned()],
            keys => names(keys),
        };
        let (project, name) = (project.to_owned(), view.name.to_owned());
        Self { project, view: name, features: names(view.features), join_keys }
    }

    /// Which view of which project.
    pub fn id(&self) -> ViewId<'_> {
        ViewId { project: &self.project, name: &self.view }
    }

    /// What the keys of all its entities start with.
    ///
    /// # Errors
    /// When its join keys make no key.
    pub(crate) fn key_prefix(&self) -> Result<Vec<u8>, Problem> {
        let encoder = EntityKeyEncoder::new(&self.join_keys)
            .map_err(|error| Problem::new(Kind::Invalid, format!("view `{}`: {error}", self.view), None))?;
        Ok(encoder.prefix().to_vec())
    }
}
