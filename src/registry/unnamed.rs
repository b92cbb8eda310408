//! Sources that Feast before 0.21 stored without names.
//!
//! They are in the views that read them and nowhere else. Later versions call such a source by its path or table when
//! they load it, and so does feastr. Two sources that differ stay two, also where they read the same files.

use std::collections::BTreeMap;

use crate::model::{DataSource, Object, ObjectId, ObjectKind};

/// Names the sources without names in `objects`, and adds them as objects of their own.
pub(crate) fn name_sources(objects: &mut BTreeMap<ObjectId, Object>) {
    let mut has_unnamed = false;
    for object in objects.values_mut() {
        each_source(object, &mut |source| has_unnamed |= source.name.is_empty());
    }
    if !has_unnamed {
        return;
    }
    let mut names = Names { named: Vec::new(), given: Vec::new() };
    for object in objects.values_mut() {
        each_source(object, &mut |source| names.named.extend((!source.name.is_empty()).then(|| source.clone())));
    }
    for (id, object) in objects.iter_mut() {
        each_source(object, &mut |source| {
            if source.name.is_empty() {
                source.name = names.name(source, &id.name);
            }
        });
    }
    for source in names.given {
        let id = ObjectId::new(ObjectKind::DataSource, &source.name);
        objects.entry(id).or_insert(Object::DataSource(source));
    }
}

/// The sources with names.
struct Names {
    /// Those that had theirs before.
    named: Vec<DataSource>,
    /// Those that got theirs here.
    given: Vec<DataSource>,
}

impl Names {
    /// The name of a source that `user` holds a copy of.
    fn name(&mut self, source: &DataSource, user: &str) -> String {
        let is_same = |other: &&DataSource| DataSource { name: String::new(), ..(*other).clone() } == *source;
        if let Some(same) = self.given.iter().find(is_same) {
            return same.name.clone();
        }
        let place = source.kind.place().map_or_else(|| format!("source of {user}"), str::to_owned);
        let others = std::iter::once(format!("{place} ({user})"));
        let numbered = (2..).map(|number| format!("{place} ({user} {number})"));
        let mut candidates = std::iter::once(place.clone()).chain(others).chain(numbered);
        let name = candidates.find(|name| self.is_free(name, is_same)).unwrap_or_default();
        self.given.push(DataSource { name: name.clone(), ..source.clone() });
        name
    }

    /// Whether no other source is called so, in whatever case: names may not differ in case only.
    fn is_free(&self, name: &str, is_same: impl Fn(&&DataSource) -> bool) -> bool {
        let namesakes = |source: &&DataSource| source.name.to_lowercase() == name.to_lowercase();
        let mut namesakes = self.named.iter().chain(&self.given).filter(namesakes);
        namesakes.all(|other| other.name == name && is_same(&other))
    }
}

/// Every source of an object: itself, or the copies in it; the history of a stream before the stream.
fn each_source(object: &mut Object, visit: &mut dyn FnMut(&mut DataSource)) {
    for source in object.sources_mut() {
        if let Some(history) = source.kind.batch_source_mut() {
            visit(history);
        }
        visit(source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FeatureView, FileSource, SourceKind};

    fn source(name: &str, path: &str, timestamp_field: &str) -> DataSource {
        let kind = SourceKind::File(FileSource { path: path.to_owned(), ..FileSource::default() });
        DataSource { timestamp_field: timestamp_field.to_owned(), ..DataSource::new(name, kind) }
    }

    fn named(objects: Vec<Object>) -> (Vec<String>, Vec<String>) {
        let mut objects = objects.into_iter().map(|object| (object.id(), object)).collect();
        name_sources(&mut objects);
        let of_views = objects.values().filter_map(|object| match object {
            Object::FeatureView(view) => view.source.as_ref().map(|source| format!("{} {}", view.name, source.name)),
            _ => None,
        });
        let sources = objects.keys().filter(|id| id.kind == ObjectKind::DataSource).map(|id| id.name.clone());
        (of_views.collect(), sources.collect())
    }

    fn view(name: &str, source: DataSource) -> Object {
        Object::FeatureView(FeatureView { source: Some(source), ..FeatureView::new(name) })
    }

    #[test]
    fn sources_without_names_are_called_by_their_path() {
        let (views, sources) =
            named(vec![view("a", source("", "a.parquet", "ts")), view("b", source("", "b.parquet", "ts"))]);
        assert_eq!(views, ["a a.parquet", "b b.parquet"]);
        assert_eq!(sources, ["a.parquet", "b.parquet"]);
        let empty = source("", "", "ts");
        assert_eq!(named(vec![view("a", empty)]).0, ["a source of a"]);
    }

    #[test]
    fn sources_that_differ_stay_apart_and_equal_ones_are_one() {
        let (views, sources) = named(vec![
            view("a", source("", "x.parquet", "ts")),
            view("b", source("", "x.parquet", "other")),
            view("c", source("", "x.parquet", "other")),
            view("d", source("", "X.parquet", "ts")),
            view("e", source("", "x.parquet", "ts")),
        ]);
        assert_eq!(views, ["a x.parquet", "b x.parquet (b)", "c x.parquet (b)", "d X.parquet (d)", "e x.parquet"]);
        assert_eq!(sources, ["X.parquet (d)", "x.parquet", "x.parquet (b)"]);
    }

    #[test]
    fn names_that_are_taken_are_not_given() {
        let other = source("x.parquet", "y.parquet", "ts");
        let (views, sources) =
            named(vec![Object::DataSource(other.clone()), view("a", source("", "x.parquet", "ts")), view("b", other)]);
        assert_eq!(views, ["a x.parquet (a)", "b x.parquet"]);
        assert_eq!(sources, ["x.parquet", "x.parquet (a)"]);
    }
}
