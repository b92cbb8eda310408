//! A store in memory, with the promises of all the others: for tests of what is built on stores.
//!
//! Where stores differ it is as Redis: no tables, times in microseconds, and of the same moment the stored row stays.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    future::ready,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::{
    admin::{Admin, RecordedTables},
    reader::{PreparedRead, Reader, Reading, StoredValue, ViewFeatures},
    store::OnlineStore,
    view_layout::ViewLayout,
    writer::{EncodedRow, Replace, WriteCounts, Writer},
};
use crate::{model::Timestamp, problem::Problem};

/// Entities whose values are removed between two calls of `on_page`.
const PAGE: u64 = 1000;

/// Values that are gone with the last clone of the store.
#[derive(Debug, Clone, Default)]
pub struct MemoryOnlineStore(Arc<Mutex<Values>>);

/// By project and view, then by entity key.
type Values = BTreeMap<(String, String), BTreeMap<Vec<u8>, Entity>>;

/// What is stored of one entity.
#[derive(Debug)]
struct Entity {
    event: Timestamp,
    /// By the names of features.
    values: BTreeMap<String, Vec<u8>>,
}

impl MemoryOnlineStore {
    fn values(&self) -> MutexGuard<'_, Values> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes values of entities under the join keys of views.
    fn remove<'a>(
        &self,
        removals: impl Iterator<Item = (&'a ViewLayout, Which)>,
        on_page: &mut dyn FnMut(u64),
    ) -> Result<u64, Problem> {
        let mut removed = 0;
        for (view, which) in removals {
            let prefix = view.key_prefix()?;
            let mut values = self.values();
            let Some(entities) = values.get_mut(&name(view)) else { continue };
            entities.retain(|key, entity| {
                let is_due = key.starts_with(&prefix) && entity.loses(view, which);
                if is_due {
                    removed += 1;
                }
                if is_due && removed % PAGE == 0 {
                    on_page(removed);
                }
                !is_due || matches!(which, Which::Features)
            });
            on_page(removed);
        }
        Ok(removed)
    }
}

/// Which values of an entity are removed.
#[derive(Debug, Clone, Copy)]
enum Which {
    All,
    /// Those of the layout's features; the time stays.
    Features,
    /// All, if their event is before a moment.
    Before(Timestamp),
}

impl Entity {
    /// Whether it loses values, and those of features if only they go.
    fn loses(&mut self, view: &ViewLayout, which: Which) -> bool {
        match which {
            Which::All => true,
            Which::Before(before) => self.event < before,
            Which::Features => {
                let before = self.values.len();
                self.values.retain(|feature, _| !view.features.contains(feature));
                self.values.len() < before
            }
        }
    }
}

fn name(layout: &ViewLayout) -> (String, String) {
    (layout.project.clone(), layout.view.clone())
}

impl Reader for MemoryOnlineStore {
    fn prepare(&self, project: &str, views: Vec<ViewFeatures>) -> Box<dyn PreparedRead> {
        Box::new(MemoryRead { store: self.clone(), project: project.to_owned(), views })
    }
}

struct MemoryRead {
    store: MemoryOnlineStore,
    project: String,
    views: Vec<ViewFeatures>,
}

impl PreparedRead for MemoryRead {
    fn read<'a>(&'a self, keys: &'a [Vec<Vec<u8>>], _: Instant) -> Reading<'a> {
        let values = self.store.values();
        let of_view = |view: &ViewFeatures| {
            let entities = values.get(&(self.project.clone(), view.view.clone()));
            let of_key = |key: &Vec<u8>| {
                let entity = entities.and_then(|entities| entities.get(key));
                let of_feature = |feature: &String| match entity.and_then(|entity| entity.values.get(feature)) {
                    Some(value) => {
                        let event = entity.map_or(Timestamp::from_micros(0), |entity| entity.event);
                        StoredValue::Found { value: value.clone(), event }
                    }
                    None => StoredValue::NotFound,
                };
                view.features.iter().map(of_feature).collect()
            };
            keys[view.keys].iter().map(of_key).collect()
        };
        Box::pin(ready(Ok(self.views.iter().map(of_view).collect())))
    }
}

impl Admin for MemoryOnlineStore {
    fn reach(&self) -> Result<(), Problem> {
        Ok(())
    }

    fn recorded_tables(&self) -> Option<&dyn RecordedTables> {
        None
    }

    fn prepare_views(&self, _: &str, _: &[&str]) -> Result<(), Problem> {
        Ok(())
    }

    fn remove_views(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        self.remove(views.iter().map(|view| (view, Which::All)), on_page)
    }

    fn remove_features(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        self.remove(views.iter().map(|view| (view, Which::Features)), on_page)
    }

    fn remove_expired(&self, views: &[(ViewLayout, Timestamp)], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        self.remove(views.iter().map(|(view, before)| (view, Which::Before(*before))), on_page)
    }
}

impl OnlineStore for MemoryOnlineStore {
    fn writer(&self, layout: ViewLayout, replace: Replace) -> Result<Box<dyn Writer>, Problem> {
        Ok(Box::new(MemoryWriter { store: self.clone(), layout, replace }))
    }
}

struct MemoryWriter {
    store: MemoryOnlineStore,
    layout: ViewLayout,
    replace: Replace,
}

impl Writer for MemoryWriter {
    fn write(&mut self, rows: &[EncodedRow<'_>]) -> Result<WriteCounts, Problem> {
        let mut counts = WriteCounts::default();
        let mut values = self.store.values();
        let entities = values.entry(name(&self.layout)).or_default();
        for row in rows {
            let entity = entities.entry(row.key.to_vec());
            let is_due = match &entity {
                Entry::Vacant(_) => true,
                Entry::Occupied(stored) => match self.replace {
                    Replace::Everything => true,
                    Replace::Outdated => stored.get().event < row.event,
                    Replace::NotNewer => stored.get().event <= row.event,
                },
            };
            if !is_due {
                counts.skipped += 1;
                continue;
            }
            let entity = entity.or_insert_with(|| Entity { event: row.event, values: BTreeMap::new() });
            entity.event = row.event;
            let named = self.layout.features.iter().cloned().zip(row.values.iter().map(|value| value.to_vec()));
            entity.values.extend(named);
            counts.written += 1;
        }
        Ok(counts)
    }

    fn flush(&mut self) -> Result<WriteCounts, Problem> {
        Ok(WriteCounts::default())
    }
}
