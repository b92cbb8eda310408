//! Writes rows: packs them here, while another thread sends what was packed before.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use redis::Value;

use super::{
    calls::Calls,
    exchange::Refusal,
    packer::{Packer, Rows},
    servers::Servers,
    transactions::Transactions,
};
use crate::{
    config::{RedisConfig, RedisDeployment},
    online::{
        view_layout::ViewLayout,
        writer::{EncodedRow, Replace, WriteCounts, Writer},
    },
    problem::{Kind, Problem},
};

/// Bytes of rows that are sent at once; the server answers all of them in one go.
const BATCH: usize = 2 << 20;

/// The same for a cluster: more rows, so that more of them have a slot in common.
const CLUSTER_BATCH: usize = 8 << 20;

/// Batches that are packed and not sent yet, before packing waits.
const BATCHES_AHEAD: usize = 1;

/// Writes the rows of a view.
pub(crate) struct RedisWriter {
    packer: Packer,
    rows: Rows,
    batch: usize,
    /// Taken when nothing more is sent.
    orders: Option<SyncSender<Order>>,
    outcomes: Receiver<Result<Outcome, Problem>>,
    sender: Option<JoinHandle<()>>,
    abandoned: Arc<AtomicBool>,
}

/// What the sender is to do.
enum Order {
    Write(Rows),
    /// To assert that the servers still know what they have confirmed.
    Confirm,
    /// To tell which servers have it.
    Name,
}

/// The result of an order.
enum Outcome {
    /// The rows come back for their memory.
    Written(WriteCounts, Rows),
    Confirmed,
    Named(BTreeMap<String, String>),
}

/// Sends what was packed.
struct Sender {
    servers: Servers,
    packer: Packer,
    /// Whether it is worth trying to create hashes: most keys were not there so far.
    creates: bool,
    /// Whether it is worth looking first: most rows of the last batch were not newer.
    looks: bool,
    /// `None` where there are none, or where they did not go well.
    transactions: Option<Transactions>,
    calls: Calls,
}

impl RedisWriter {
    pub(crate) fn new(mut servers: Servers, config: &RedisConfig, layout: &ViewLayout, replace: Replace) -> Self {
        let is_cluster = config.deployment == RedisDeployment::Cluster;
        let packer = packer(config, layout, replace);
        let (orders, received) = sync_channel::<Order>(BATCHES_AHEAD);
        // Room for the answer to every order under way, so that the sender never waits for us.
        let (answers, outcomes) = sync_channel(BATCHES_AHEAD + 2);
        let abandoned = servers.abandoned();
        // Keys of a transaction in a cluster would have to share a slot.
        let transactions = if packer.compares() && !is_cluster { servers.transactions() } else { None };
        let mut sender = Sender {
            servers,
            packer: packer.clone(),
            creates: true,
            looks: false,
            transactions,
            calls: Calls::default(),
        };
        let sender = std::thread::spawn(move || {
            for order in received {
                let outcome = sender.carry_out(order);
                let failed = outcome.is_err();
                if answers.send(outcome).is_err() || failed {
                    return;
                }
            }
        });
        Self {
            packer,
            rows: Rows::default(),
            batch: if is_cluster { CLUSTER_BATCH } else { BATCH },
            orders: Some(orders),
            outcomes,
            sender: Some(sender),
            abandoned,
        }
    }

    /// Hands the rows to the sender, and gives the results of earlier ones.
    fn send(&mut self) -> Result<WriteCounts, Problem> {
        let mut told = WriteCounts::default();
        let mut next = Rows::default();
        while let Ok(outcome) = self.outcomes.try_recv() {
            if let Outcome::Written(counts, used) = outcome? {
                add(&mut told, counts);
                next = used;
            }
        }
        next.clear();
        let rows = std::mem::replace(&mut self.rows, next);
        self.order(Order::Write(rows))?;
        Ok(told)
    }

    fn order(&mut self, order: Order) -> Result<(), Problem> {
        match &self.orders {
            Some(orders) if orders.send(order).is_ok() => Ok(()),
            _ => Err(self.stopped()),
        }
    }

    /// Why the sender takes no more.
    fn stopped(&mut self) -> Problem {
        while let Ok(outcome) = self.outcomes.recv() {
            if let Err(error) = outcome {
                return error;
            }
        }
        let help = "this is a mistake in feastr: report it; what was written stays, and the next run goes on";
        Problem::new(Kind::Internal, "writing to Redis has ended before all was written", help.to_owned())
    }
}

impl Writer for RedisWriter {
    fn write(&mut self, rows: &[EncodedRow<'_>]) -> Result<WriteCounts, Problem> {
        let mut told = WriteCounts::default();
        for row in rows {
            self.packer.take(row, &mut self.rows);
            if self.rows.bytes.len() >= self.batch {
                add(&mut told, self.send()?);
            }
        }
        Ok(told)
    }

    fn flush(&mut self) -> Result<WriteCounts, Problem> {
        let mut told = WriteCounts::default();
        if !self.rows.rows.is_empty() {
            told = self.send()?;
        }
        self.order(Order::Confirm)?;
        loop {
            match self.outcomes.recv() {
                Ok(Ok(Outcome::Written(counts, _))) => add(&mut told, counts),
                Ok(Ok(Outcome::Confirmed)) => return Ok(told),
                Ok(Ok(Outcome::Named(_))) => {}
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(self.stopped()),
            }
        }
    }

    fn finish_telling(mut self: Box<Self>) -> Result<(WriteCounts, BTreeMap<String, String>), Problem> {
        let counts = self.flush()?;
        self.order(Order::Name)?;
        match self.outcomes.recv() {
            Ok(Ok(Outcome::Named(servers))) => Ok((counts, servers)),
            Ok(Err(error)) => Err(error),
            _ => Err(self.stopped()),
        }
    }
}

impl Drop for RedisWriter {
    fn drop(&mut self) {
        // After an error the sender need not wait for servers any more.
        self.abandoned.store(true, Ordering::Relaxed);
        self.orders = None;
        if let Some(sender) = self.sender.take() {
            let _ = sender.join();
        }
    }
}

impl Sender {
    fn carry_out(&mut self, order: Order) -> Result<Outcome, Problem> {
        match order {
            Order::Write(mut rows) => self.send(&mut rows).map(|counts| Outcome::Written(counts, rows)),
            Order::Confirm => self.servers.check_memory().map(|()| Outcome::Confirmed),
            Order::Name => self.servers.runs().map(Outcome::Named),
        }
    }

    /// Writes a batch: creates what is not there, then writes in transactions if there are any, and with
    /// commands that can be repeated where those did not go well.
    fn send(&mut self, rows: &mut Rows) -> Result<WriteCounts, Problem> {
        let all = rows.rows.len() as u64;
        let mut written = if self.creates { self.create(rows)? } else { 0 };
        if self.looks {
            self.leave_out(rows)?;
        }
        if let Some(transactions) = &mut self.transactions
            && !rows.rows.is_empty()
        {
            let tried = rows.rows.len();
            let outcome = transactions.write(&self.packer, rows);
            written += outcome.written;
            rows.rows = outcome.left;
            if rows.rows.len() < tried {
                self.servers.note_confirmed(transactions.server());
            }
            if outcome.failed {
                self.transactions = None;
            }
        }
        if !rows.rows.is_empty() {
            self.calls.clear();
            self.packer.pack(rows, &mut self.calls);
            let answers = self.servers.exchange(&self.calls, Refusal::Fails)?;
            // A replacement always happens.
            written += if self.packer.compares() { answers.iter().map(number).sum() } else { rows.rows.len() as u64 };
        }
        self.looks = self.packer.compares() && written * 2 < all;
        Ok(WriteCounts { written, skipped: all.saturating_sub(written) })
    }

    /// Leaves out rows that are not newer.
    fn leave_out(&mut self, rows: &mut Rows) -> Result<(), Problem> {
        self.calls.clear();
        rows.rows.iter().for_each(|row| self.packer.pack_look(row, rows, &mut self.calls));
        let mut answers = self.servers.exchange(&self.calls, Refusal::Fails)?.into_iter();
        let packer = &self.packer;
        rows.rows
            .retain(|row| !matches!(answers.next(), Some(Value::BulkString(stored)) if !packer.is_due(row, &stored)));
        Ok(())
    }

    /// Creates the hashes of rows whose keys are not there, and leaves the others.
    fn create(&mut self, rows: &mut Rows) -> Result<u64, Problem> {
        let all = rows.rows.len();
        self.calls.clear();
        let tried = self.packer.pack_creations(rows, &mut self.calls);
        // A server refuses where the key is there, or if it does not know the form or forbids the command.
        let answers = self.servers.exchange(&self.calls, Refusal::IsAnswer)?;
        let refused = |(row, answer)| matches!(answer, Value::ServerError(_)).then_some(row);
        rows.rows.extend(tried.into_iter().zip(answers).filter_map(refused));
        let created = all - rows.rows.len();
        self.creates = created * 2 > all;
        Ok(created as u64)
    }
}

fn packer(config: &RedisConfig, layout: &ViewLayout, replace: Replace) -> Packer {
    let replace = if config.skip_dedup { Replace::Everything } else { replace };
    let is_cluster = config.deployment == RedisDeployment::Cluster;
    Packer::new(layout, config.key_ttl_seconds.unwrap_or(0), replace, is_cluster)
}

/// Writes a few rows with commands that can be repeated, and returns when they are stored for certain.
///
/// # Errors
/// As those of the writer.
pub(crate) fn put(
    servers: &mut Servers,
    config: &RedisConfig,
    layout: &ViewLayout,
    replace: Replace,
    rows: &[EncodedRow<'_>],
) -> Result<WriteCounts, Problem> {
    let packer = packer(config, layout, replace);
    let (mut packed, mut calls) = (Rows::default(), Calls::default());
    rows.iter().for_each(|row| packer.take(row, &mut packed));
    packer.pack(&mut packed, &mut calls);
    let answers = servers.exchange(&calls, Refusal::Fails)?;
    servers.check_memory()?;
    let all = rows.len() as u64;
    let written = if packer.compares() { answers.iter().map(number).sum() } else { all };
    Ok(WriteCounts { written, skipped: all.saturating_sub(written) })
}

fn number(answer: &Value) -> u64 {
    if let Value::Int(number) = answer { u64::try_from(*number).unwrap_or(0) } else { 0 }
}

fn add(sum: &mut WriteCounts, counts: WriteCounts) {
    sum.written += counts.written;
    sum.skipped += counts.skipped;
}
