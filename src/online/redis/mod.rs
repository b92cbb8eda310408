//! Feast's online store in Redis: one server, a cluster, or a master that sentinels know.

pub(super) mod acl;
mod calls;
mod cleanup;
mod connection;
mod dump;
mod exchange;
mod explain;
mod layout;
mod link;
mod nodes;
mod packer;
mod reader;
mod script;
mod servers;
mod topology;
mod transactions;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};

use self::{
    cleanup::{Removal, Which, remove},
    nodes::Nodes,
    reader::RedisRead,
    servers::Servers,
    writer::RedisWriter,
};
use super::{
    admin::{Admin, RecordedTables},
    reader::{PreparedRead, Reader, ViewFeatures},
    store::OnlineStore,
    view_layout::ViewLayout,
    writer::{EncodedRow, Replace, WriteCounts, Writer},
};
use crate::{config::RedisConfig, model::Timestamp, problem::Problem};

/// Feast's Redis online store: a hash per entity, which holds the features of all its views.
pub(crate) struct RedisOnlineStore {
    config: RedisConfig,
    /// Connections over which a few rows were written, for the next ones.
    light: Mutex<Option<Servers>>,
    nodes: Arc<Nodes>,
}

impl RedisOnlineStore {
    /// The store behind these settings. Nothing is opened yet.
    pub(crate) fn new(config: RedisConfig) -> Self {
        Self { nodes: Arc::new(Nodes::new(config.clone())), light: Mutex::default(), config }
    }

    fn servers(&self, project: &str) -> Servers {
        Servers::new(self.config.clone(), project)
    }

    fn remove(&self, removals: &[Removal<'_>], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        let Some((first, _)) = removals.first() else { return Ok(0) };
        remove(&mut self.servers(&first.project), removals, on_page)
    }
}

impl Reader for RedisOnlineStore {
    fn prepare(&self, project: &str, views: Vec<ViewFeatures>) -> Box<dyn PreparedRead> {
        Box::new(RedisRead::new(Arc::clone(&self.nodes), project, &views))
    }
}

impl Admin for RedisOnlineStore {
    fn reach(&self) -> Result<(), Problem> {
        self.servers("").connect()
    }

    fn recorded_tables(&self) -> Option<&dyn RecordedTables> {
        None
    }

    fn prepare_views(&self, _: &str, _: &[&str]) -> Result<(), Problem> {
        Ok(())
    }

    /// As in Feast nothing is looked for, and so nothing removed, with `full_scan_for_deletion: false`.
    fn remove_views(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        if !self.config.full_scan_for_deletion {
            return Ok(0);
        }
        self.remove(&views.iter().map(|view| (view, Which::All)).collect::<Vec<_>>(), on_page)
    }

    /// As with [`Self::remove_views`].
    fn remove_features(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        if !self.config.full_scan_for_deletion {
            return Ok(0);
        }
        self.remove(&views.iter().map(|view| (view, Which::Features)).collect::<Vec<_>>(), on_page)
    }

    fn remove_expired(&self, views: &[(ViewLayout, Timestamp)], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        self.remove(&views.iter().map(|(view, before)| (view, Which::Before(*before))).collect::<Vec<_>>(), on_page)
    }
}

impl OnlineStore for RedisOnlineStore {
    fn writer(&self, layout: ViewLayout, replace: Replace) -> Result<Box<dyn Writer>, Problem> {
        let mut servers = self.servers(&layout.project);
        servers.connect()?;
        Ok(Box::new(RedisWriter::new(servers, &self.config, &layout, replace)))
    }
    /// One script call for some fifty rows, over a connection that is kept.
    fn put(&self, layout: &ViewLayout, replace: Replace, rows: &[EncodedRow<'_>]) -> Result<WriteCounts, Problem> {
        let kept = self.light.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut servers = kept.unwrap_or_else(|| self.servers(&layout.project));
        servers.begin(&layout.project);
        let counts = writer::put(&mut servers, &self.config, layout, replace, rows)?;
        *self.light.lock().unwrap_or_else(PoisonError::into_inner) = Some(servers);
        Ok(counts)
    }
}
