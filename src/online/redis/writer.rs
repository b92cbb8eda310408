//! Writes rows: packs them here, while another thread sends what was packed before.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use redis::Value;

use super::{
    calls::{Calls, push_argument},
    layout::{fields, time_value},
    script::WRITE_NEWER,
    servers::Servers,
    topology::slot,
};
use crate::{
    config::{RedisConfig, RedisDeployment},
    online::store::{EncodedRow, OnlineError, OnlineWriter, Replace, ViewLayout, WriteCounts},
};

/// Bytes of rows that are sent at once; the server answers all of them in one go.
const BATCH: usize = 2 << 20;

/// The same for a cluster: more rows, so that more of them have a slot in common.
const CLUSTER_BATCH: usize = 8 << 20;

/// Batches that are packed and not sent yet, before packing waits.
const BATCHES_AHEAD: usize = 1;

/// Keys of one script call: enough to make the call itself cheap, few enough not to keep others waiting.
const KEYS_PER_CALL: usize = 50;

/// Values of one script call, for views with many features.
const VALUES_PER_CALL: usize = 4_000;

/// Writes the rows of a view.
pub struct RedisWriter {
    packer: Packer,
    rows: Rows,
    batch: usize,
    /// Taken when nothing more is sent.
    batches: Option<SyncSender<(Calls, u64)>>,
    outcomes: Receiver<Result<(WriteCounts, Calls), OnlineError>>,
    sender: Option<JoinHandle<()>>,
    abandoned: Arc<AtomicBool>,
}

/// How the rows of a view become commands.
struct Packer {
    project: String,
    /// Names of the hash's fields, that of the time first.
    fields: Vec<Vec<u8>>,
    key_ttl_seconds: u64,
    /// Whether stored rows that are not older stay.
    compares: bool,
    /// Whether keys must be grouped by slot.
    has_slots: bool,
}

/// Rows that are not sent yet: their keys and their packed values.
#[derive(Default)]
struct Rows {
    bytes: Vec<u8>,
    rows: Vec<Row>,
}

/// Where a row is in the bytes: its key, then its values up to the end.
#[derive(Clone, Copy)]
struct Row {
    slot: u16,
    key: usize,
    values: usize,
    end: usize,
}

impl RedisWriter {
    pub fn new(mut servers: Servers, config: &RedisConfig, layout: &ViewLayout, replace: Replace) -> Self {
        let is_cluster = config.deployment == RedisDeployment::Cluster;
        let packer = Packer {
            project: layout.project.clone(),
            fields: fields(layout),
            key_ttl_seconds: config.key_ttl_seconds.unwrap_or(0),
            compares: replace == Replace::Outdated && !config.skip_dedup,
            has_slots: is_cluster,
        };
        let compares = packer.compares;
        let (batches, received) = sync_channel::<(Calls, u64)>(BATCHES_AHEAD);
        // Room for the answer to every batch under way, so that the sender never waits for us.
        let (answers, outcomes) = sync_channel(BATCHES_AHEAD + 2);
        let abandoned = servers.abandoned();
        let sender = std::thread::spawn(move || {
            for (calls, rows) in received {
                let outcome = servers.exchange(&calls).map(|answers| (counts(&answers, rows, compares), calls));
                let failed = outcome.is_err();
                if answers.send(outcome).is_err() || failed {
                    return;
                }
            }
            if let Err(error) = servers.check_memory() {
                // Nobody listens if the run has failed already.
                let _ = answers.send(Err(error));
            }
        });
        Self {
            packer,
            rows: Rows::default(),
            batch: if is_cluster { CLUSTER_BATCH } else { BATCH },
            batches: Some(batches),
            outcomes,
            sender: Some(sender),
            abandoned,
        }
    }

    /// Hands the rows to the sender, and gives what became of earlier ones.
    fn send(&mut self) -> Result<WriteCounts, OnlineError> {
        let mut told = WriteCounts::default();
        let mut calls = Calls::default();
        while let Ok(outcome) = self.outcomes.try_recv() {
            let (counts, used) = outcome?;
            add(&mut told, counts);
            calls = used;
        }
        calls.clear();
        self.packer.pack(&mut self.rows, &mut calls);
        let rows = self.rows.rows.len() as u64;
        self.rows.bytes.clear();
        self.rows.rows.clear();
        if let Some(batches) = &self.batches
            && batches.send((calls, rows)).is_err()
        {
            // The sender has stopped, and said why.
            add(&mut told, self.remaining()?);
        }
        Ok(told)
    }

    /// What became of everything that was sent.
    fn remaining(&mut self) -> Result<WriteCounts, OnlineError> {
        let mut told = WriteCounts::default();
        while let Ok(outcome) = self.outcomes.recv() {
            add(&mut told, outcome?.0);
        }
        Ok(told)
    }
}

impl OnlineWriter for RedisWriter {
    fn write(&mut self, rows: &[EncodedRow<'_>]) -> Result<WriteCounts, OnlineError> {
        let mut told = WriteCounts::default();
        for row in rows {
            self.packer.take(row, &mut self.rows);
            if self.rows.bytes.len() >= self.batch {
                add(&mut told, self.send()?);
            }
        }
        Ok(told)
    }

    fn finish(&mut self) -> Result<WriteCounts, OnlineError> {
        let mut told = WriteCounts::default();
        if !self.rows.rows.is_empty() {
            told = self.send()?;
        }
        self.batches = None;
        add(&mut told, self.remaining()?);
        Ok(told)
    }
}

impl Drop for RedisWriter {
    fn drop(&mut self) {
        // After an error the sender need not wait for servers any more.
        self.abandoned.store(true, Ordering::Relaxed);
        self.batches = None;
        if let Some(sender) = self.sender.take() {
            let _ = sender.join();
        }
    }
}

impl Packer {
    /// Copies a row, packed as far as it can be by itself.
    fn take(&self, row: &EncodedRow<'_>, rows: &mut Rows) {
        let bytes = &mut rows.bytes;
        let key = bytes.len();
        bytes.extend_from_slice(row.key);
        bytes.extend_from_slice(self.project.as_bytes());
        let values = bytes.len();
        let time = time_value(row.event);
        let all = std::iter::once(time.as_slice()).chain(row.values.iter().copied());
        for (field, value) in self.fields.iter().zip(all) {
            if !self.compares {
                push_argument(bytes, field);
            }
            push_argument(bytes, value);
        }
        let slot = if self.has_slots { slot(&bytes[key..values]) } else { 0 };
        rows.rows.push(Row { slot, key, values, end: bytes.len() });
    }

    fn pack(&self, rows: &mut Rows, calls: &mut Calls) {
        if self.compares {
            // Stable, so that rows of the same entity stay in order.
            rows.rows.sort_by_key(|row| row.slot);
            let keys = (VALUES_PER_CALL / self.fields.len()).clamp(1, KEYS_PER_CALL);
            for group in rows.rows.chunk_by(|one, other| one.slot == other.slot) {
                for rows_of_call in group.chunks(keys) {
                    self.pack_comparison(rows_of_call, &rows.bytes, calls);
                }
            }
        } else {
            for row in &rows.rows {
                self.pack_replacement(row, &rows.bytes, calls);
            }
        }
    }

    fn pack_comparison(&self, rows: &[Row], bytes: &[u8], calls: &mut Calls) {
        let width = self.fields.len();
        calls.begin(rows[0].slot, 3 + rows.len() + 2 + width + width * rows.len());
        calls.argument(b"EVALSHA");
        calls.argument(WRITE_NEWER.hash.as_bytes());
        calls.argument(rows.len().to_string().as_bytes());
        rows.iter().for_each(|row| calls.argument(&bytes[row.key..row.values]));
        calls.argument(width.to_string().as_bytes());
        calls.argument(self.key_ttl_seconds.to_string().as_bytes());
        self.fields.iter().for_each(|field| calls.argument(field));
        rows.iter().for_each(|row| calls.packed(&bytes[row.values..row.end]));
    }

    fn pack_replacement(&self, row: &Row, bytes: &[u8], calls: &mut Calls) {
        let key = &bytes[row.key..row.values];
        calls.begin(row.slot, 2 + 2 * self.fields.len());
        calls.argument(b"HSET");
        calls.argument(key);
        calls.packed(&bytes[row.values..row.end]);
        if self.key_ttl_seconds > 0 {
            calls.add(row.slot, &[b"EXPIRE", key, self.key_ttl_seconds.to_string().as_bytes()]);
        }
    }
}

/// What the answers say became of rows; a replacement always happens. Rows that were sent once more,
/// because the answer was lost, count as skipped if they had arrived.
fn counts(answers: &[Value], rows: u64, compared: bool) -> WriteCounts {
    let written = if compared { answers.iter().map(number).sum() } else { rows };
    WriteCounts { written, skipped: rows.saturating_sub(written) }
}

fn number(answer: &Value) -> u64 {
    if let Value::Int(number) = answer { u64::try_from(*number).unwrap_or(0) } else { 0 }
}

fn add(sum: &mut WriteCounts, counts: WriteCounts) {
    sum.written += counts.written;
    sum.skipped += counts.skipped;
}
