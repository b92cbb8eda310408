use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::impact::Collision;
use crate::{
    feast::values::feature_hash::feature_field,
    model::{Object, ObjectId, View},
};

/// Owner (view, feature) of each field of one Redis hash.
type Fields<'a> = HashMap<[u8; 4], (&'a ObjectId, &'a str)>;

/// The pairs of features that Feast's Redis layout cannot tell apart after a plan and could before
/// it, by the view that brings one of them.
///
/// Features of all views with the same join keys share one hash in Redis, whose fields are named by
/// 32 bits.
pub(crate) fn collisions(
    before: &BTreeMap<ObjectId, Object>,
    declared: &BTreeMap<ObjectId, Object>,
    others: &BTreeMap<ObjectId, Object>,
) -> BTreeMap<ObjectId, Vec<Collision>> {
    let mut places: HashMap<BTreeSet<&str>, Fields<'_>> = HashMap::new();
    let mut found: BTreeMap<ObjectId, Vec<Collision>> = BTreeMap::new();
    for (id, object) in declared.iter().chain(others) {
        let Some(view) = View::of(object).filter(View::stores_values) else { continue };
        let fields = places.entry(view.key_names()).or_default();
        for feature in view.features {
            let field = feature_field(view.name, &feature.name);
            let Some((other, taken)) = fields.insert(field, (id, &feature.name)) else { continue };
            let newcomers = [(id, feature.name.as_str()), (other, taken)];
            let was_there = |(id, feature): (&ObjectId, &str)| {
                let stored = before.get(id).and_then(View::of);
                stored.is_some_and(|stored| {
                    stored.stores_values()
                        && stored.key_names() == view.key_names()
                        && stored.feature(feature).is_some()
                })
            };
            if let Some((newcomer, _)) = newcomers.into_iter().find(|newcomer| !was_there(*newcomer)) {
                let mut features = newcomers.map(|(id, feature)| format!("{}:{feature}", id.name));
                features.sort();
                let join_keys = view.key_names().into_iter().map(str::to_owned).collect();
                found.entry(newcomer.clone()).or_default().push(Collision { features, join_keys });
            }
        }
    }
    found
}
