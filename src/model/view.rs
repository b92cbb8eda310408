//! What a view is, whichever of the four kinds it is of: its columns, under which keys its values are found, and
//! whether the online store has some. Everybody who needs to know asks here.

use std::collections::BTreeSet;

use super::{
    DUMMY_ENTITY, DUMMY_JOIN_KEY, DataSource, FeatureView, Field, ForeignObject, LabelView, Object, ObjectId,
    ObjectKind, OnDemandFeatureView, RegistryState, Repo, StreamFeatureView, Tags, Transformation, Ttl,
};

/// What views of all kinds have in common, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Which of the kinds of views it is of.
    pub kind: ObjectKind,
    /// Unique among all views of a project, ignoring case.
    pub name: &'a str,
    /// The join key columns, the dummy key of a view without entities among them.
    pub entity_columns: &'a [Field],
    /// The columns of values, in declared order.
    pub features: &'a [Field],
    /// How long a value stays valid after its event time.
    pub ttl: Ttl,
    /// Where its rows come from; `None` if they are pushed or computed.
    pub source: Option<&'a DataSource>,
    /// How its values come to be.
    pub values: Values,
    /// Whether its values are kept in the online store; never for computed ones, as feastr sees them.
    pub online: bool,
    /// Whether it can be read at all.
    pub enabled: bool,
    /// The labels of the view.
    pub tags: &'a Tags,
    entities: &'a [String],
    aggregates: bool,
}

/// How the values of a view come to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// A materialization writes them from the rows of a source.
    Materialized,
    /// Programs push them.
    Pushed,
    /// They are computed from other views when they are asked for.
    Computed,
}

impl ObjectKind {
    /// How the values of views of this kind come to be; `None` if it is not a kind of view.
    pub fn values(self) -> Option<Values> {
        match self {
            Self::FeatureView | Self::StreamFeatureView => Some(Values::Materialized),
            Self::LabelView => Some(Values::Pushed),
            Self::OnDemandFeatureView => Some(Values::Computed),
            _ => None,
        }
    }
}

impl<'a> From<&'a FeatureView> for View<'a> {
    fn from(view: &'a FeatureView) -> Self {
        Self {
            kind: ObjectKind::FeatureView,
            name: &view.name,
            entity_columns: &view.entity_columns,
            features: &view.features,
            ttl: view.ttl,
            source: view.source.as_ref(),
            values: Values::Materialized,
            online: view.online,
            enabled: view.enabled,
            tags: &view.tags,
            entities: &view.entities,
            aggregates: false,
        }
    }
}

impl<'a> From<&'a StreamFeatureView> for View<'a> {
    fn from(view: &'a StreamFeatureView) -> Self {
        Self {
            kind: ObjectKind::StreamFeatureView,
            name: &view.name,
            entity_columns: &view.entity_columns,
            features: &view.features,
            ttl: view.ttl,
            source: view.source.as_ref(),
            values: Values::Materialized,
            online: view.online,
            enabled: view.enabled,
            tags: &view.tags,
            entities: &view.entities,
            aggregates: !view.aggregations.is_empty(),
        }
    }
}

impl<'a> From<&'a LabelView> for View<'a> {
    fn from(view: &'a LabelView) -> Self {
        Self {
            kind: ObjectKind::LabelView,
            name: &view.name,
            entity_columns: &view.entity_columns,
            features: &view.features,
            ttl: view.ttl,
            source: view.source.as_ref(),
            values: Values::Pushed,
            online: view.online,
            enabled: true,
            tags: &view.tags,
            entities: &view.entities,
            aggregates: false,
        }
    }
}

impl<'a> From<&'a OnDemandFeatureView> for View<'a> {
    fn from(view: &'a OnDemandFeatureView) -> Self {
        Self {
            kind: ObjectKind::OnDemandFeatureView,
            name: &view.name,
            // Its keys are those of its inputs.
            entity_columns: &[],
            features: &view.features,
            ttl: Ttl::UNLIMITED,
            source: None,
            values: Values::Computed,
            online: false,
            enabled: view.enabled,
            tags: &view.tags,
            entities: &[],
            aggregates: false,
        }
    }
}

impl<'a> View<'a> {
    /// The view that an object is, if it is one.
    pub fn of(object: &'a Object) -> Option<Self> {
        match object {
            Object::FeatureView(view) => Some(view.into()),
            Object::StreamFeatureView(view) => Some(view.into()),
            Object::LabelView(view) => Some(view.into()),
            Object::OnDemandFeatureView(view) => Some(view.into()),
            _ => None,
        }
    }

    /// Kind and name.
    pub fn id(&self) -> ObjectId {
        ObjectId::new(self.kind, self.name)
    }

    /// The feature of a name.
    pub fn feature(&self, name: &str) -> Option<&'a Field> {
        self.features.iter().find(|field| field.name == name)
    }

    /// The columns by which values are found; none for a view without entities.
    pub fn join_keys(&self) -> &'a [Field] {
        if self.entities.iter().all(|name| name == DUMMY_ENTITY) { &[] } else { self.entity_columns }
    }

    /// Whether values of the view are found by join keys of its own, be it the dummy key.
    pub fn has_keys(&self) -> bool {
        !self.entity_columns.is_empty()
    }

    /// Names of the join keys; their order does not matter to the online store.
    pub fn key_names(&self) -> BTreeSet<&'a str> {
        self.entity_columns.iter().map(|field| field.name.as_str()).filter(|name| *name != DUMMY_JOIN_KEY).collect()
    }

    /// Whether it has no values of its own.
    pub fn is_computed(&self) -> bool {
        self.values == Values::Computed
    }

    /// Whether the online store keeps values of its own for it.
    pub fn stores_values(&self) -> bool {
        self.online && !self.is_computed()
    }

    /// Whether it has an online table, in stores with a table for each view: Feast makes one for views that are
    /// materialized, online or not, and for labels that are online.
    pub fn has_table(&self) -> bool {
        match self.values {
            Values::Materialized => true,
            Values::Pushed => self.online,
            Values::Computed => false,
        }
    }

    /// Whether its values are more than columns of its source.
    pub fn is_transformed(&self) -> bool {
        self.aggregates || Transformation::TAGS.iter().any(|tag| self.tags.contains_key(*tag))
    }
}

impl Object {
    /// What it is as a view, if it is one.
    pub fn view(&self) -> Option<View<'_>> {
        View::of(self)
    }
}

/// What a registry has under the name of a view.
#[derive(Debug, Clone, Copy)]
pub enum NamedView<'a> {
    /// A view of whatever kind.
    Known(&'a Object),
    /// A view that feastr does not manage.
    Foreign(&'a ForeignObject),
    /// No view.
    None,
}

impl Repo {
    /// The declared views of all kinds.
    pub fn views(&self) -> impl Iterator<Item = View<'_>> {
        self.objects().values().filter_map(Object::view)
    }
}

impl RegistryState {
    /// The views of all kinds.
    pub fn views(&self) -> impl Iterator<Item = View<'_>> {
        self.objects.values().filter_map(Object::view)
    }

    /// What is registered as a view of this name.
    pub fn view(&self, name: &str) -> NamedView<'_> {
        match ObjectKind::VIEWS.into_iter().find_map(|kind| self.objects.get(&ObjectId::new(kind, name))) {
            Some(object) => NamedView::Known(object),
            None => {
                self.foreign_views().find(|foreign| foreign.id.name == name).map_or(NamedView::None, NamedView::Foreign)
            }
        }
    }

    /// The views that feastr does not manage.
    pub fn foreign_views(&self) -> impl Iterator<Item = &ForeignObject> {
        self.foreign.iter().filter(|foreign| foreign.id.kind.is_view())
    }

    /// The views that may have an online table: those that feastr does not manage may have one, too.
    pub fn views_with_table(&self) -> impl Iterator<Item = ObjectId> {
        let known = self.views().filter(View::has_table).map(|view| view.id());
        known.chain(self.foreign_views().map(|foreign| foreign.id.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        DataType,
        samples::{label_view, registered},
    };

    fn label(online: bool) -> Object {
        Object::LabelView(LabelView { online, ..label_view("labels") })
    }

    #[test]
    fn tables_are_where_feast_makes_them() {
        let offline = Object::FeatureView(FeatureView { online: false, ..FeatureView::new("v") });
        let (online, hidden) = (label(true), label(false));
        let answers = |object: &Object| object.view().map(|view| (view.has_table(), view.stores_values())).unwrap();
        assert_eq!(answers(&offline), (true, false));
        assert_eq!(answers(&online), (true, true));
        assert_eq!(answers(&hidden), (false, false));
    }

    #[test]
    fn a_name_is_looked_for_among_all_kinds() {
        let object = label(true);
        let foreign = ForeignObject {
            id: ObjectId::new(ObjectKind::FeatureView, "theirs"),
            reason: "it is new".into(),
            owner: String::new(),
            uses: Vec::new(),
            known: None,
        };
        let state = RegistryState { foreign: vec![foreign], ..registered([object]) };
        assert!(matches!(state.view("labels"), NamedView::Known(Object::LabelView(_))));
        assert!(matches!(state.view("theirs"), NamedView::Foreign(_)));
        assert!(matches!(state.view("Labels"), NamedView::None));
    }

    #[test]
    fn views_without_entities_have_no_join_keys() {
        let mut view = FeatureView::new("v");
        view.entities = vec![DUMMY_ENTITY.into()];
        view.entity_columns = vec![Field::new(DUMMY_JOIN_KEY, DataType::String)];
        let object = Object::FeatureView(view);
        let view = object.view().unwrap();
        assert!(view.join_keys().is_empty() && view.key_names().is_empty() && view.has_keys());
    }
}
