//! Feast's online store in Redis: one server, a cluster, or a master that sentinels know.

mod calls;
mod cleanup;
mod connection;
mod dump;
mod explain;
mod layout;
mod packer;
mod reader;
mod script;
mod servers;
mod topology;
mod transactions;
mod writer;

use self::{
    cleanup::{Removal, Which, remove},
    servers::{Purpose, Servers},
    writer::RedisWriter,
};
use super::store::{OnlineStore, OnlineWriter, ReadRequest, RecordedTables, Replace, StoredValue, ViewLayout};
use crate::{config::RedisConfig, model::Timestamp, problem::Problem};

/// Feast's Redis online store: a hash per entity, which holds the features of all its views.
pub struct RedisOnlineStore {
    config: RedisConfig,
}

impl RedisOnlineStore {
    pub fn new(config: RedisConfig) -> Self {
        Self { config }
    }

    fn servers(&self, project: &str, purpose: Purpose) -> Servers {
        Servers::new(self.config.clone(), project, purpose)
    }

    fn remove(&self, removals: &[Removal<'_>], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        let Some((first, _)) = removals.first() else { return Ok(0) };
        remove(&mut self.servers(&first.project, Purpose::Writing), removals, on_page)
    }
}

impl OnlineStore for RedisOnlineStore {
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

    fn writer(&self, layout: ViewLayout, replace: Replace) -> Result<Box<dyn OnlineWriter>, Problem> {
        let mut servers = self.servers(&layout.project, Purpose::Writing);
        servers.connect()?;
        Ok(Box::new(RedisWriter::new(servers, &self.config, &layout, replace)))
    }

    fn read(&self, project: &str, requests: &[ReadRequest]) -> Result<Vec<Vec<Vec<StoredValue>>>, Problem> {
        let mut servers = self.servers(project, Purpose::Reading);
        servers.connect()?;
        reader::read(&mut servers, project, requests)
    }
}
