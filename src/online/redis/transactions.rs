//! Writes newer rows in transactions of Redis, which cost it less than the script that compares.
//!
//! A transaction is carried out only if nobody has changed its keys since they were looked at (`WATCH`),
//! so an older row never wins here either. Where somebody has, or anything else is not as expected, the
//! rows are left to the script, which needs no luck.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use redis::Value;

use super::{
    calls::Calls,
    connection::Link,
    explain::RedisFailure,
    packer::{Packer, Row, Rows},
};
use crate::config::RedisNode;

/// Connections that take turns, so that the server never waits for us.
pub(crate) const CONNECTIONS: usize = 4;

/// Keys of one transaction: enough to make its round trip cheap, few because the server looks through
/// all keys that a connection watches for each further one.
const KEYS: usize = 50;

/// The longest way to the server and back: each transaction waits for it, where the script would be sent
/// far ahead.
const LONGEST_WAY: Duration = Duration::from_millis(1);

/// Connections to one server, for transactions.
pub(crate) struct Transactions {
    links: Vec<Link>,
    calls: Calls,
}

/// The result of writing rows.
pub(crate) struct Transacted {
    /// Rows that are stored now; others were not newer.
    pub written: u64,
    /// Rows about which nothing is known.
    pub left: Vec<Row>,
    /// Whether it is not worth trying again.
    pub failed: bool,
}

/// What a connection was told about a group, after it had looked at its keys.
enum Told {
    /// To write `due` rows, with this number of commands.
    Write { due: u64, commands: usize },
    /// To write nothing, because no row is newer.
    Nothing,
    /// To forget about it: the server has refused to look.
    Refused,
}

impl Transactions {
    /// `links`, at least one, are to the same run of the same server. `None` if that is too far away.
    pub(crate) fn new(mut links: Vec<Link>) -> Option<Self> {
        let ways = links.iter_mut().map(|link| {
            let began = Instant::now();
            link.ask(&redis::cmd("PING")).ok().map(|_| began.elapsed())
        });
        let shortest = ways.flatten().min()?;
        (shortest <= LONGEST_WAY).then(|| Self { links, calls: Calls::default() })
    }

    /// The server, and the name of its run.
    pub(crate) fn server(&self) -> (&RedisNode, Option<&String>) {
        (&self.links[0].place.node, self.links[0].run_id.as_ref())
    }

    /// Writes the rows that are newer than what is stored, as far as it goes smoothly.
    pub(crate) fn write(&mut self, packer: &Packer, rows: &Rows) -> Transacted {
        // Of two rows of the same entity both would be compared with what was there before.
        let (groups, doubled): (Vec<&[Row]>, Vec<&[Row]>) =
            rows.rows.chunks(KEYS).partition(|group| are_distinct(rows, group));
        let mut outcome = Transacted { written: 0, left: doubled.concat(), failed: false };
        let mut done = vec![false; groups.len()];
        if self.write_groups(packer, rows, &groups, &mut done, &mut outcome).is_err() {
            outcome.failed = true;
        }
        let unknown: Vec<&[Row]> =
            groups.iter().zip(&done).filter(|(_, done)| !**done).map(|(group, _)| *group).collect();
        // Somebody else is busy with the same entities; trying first would only cost more.
        outcome.failed |= unknown.len() * 2 > groups.len();
        outcome.left.extend(unknown.concat());
        outcome
    }

    /// Each connection looks at the keys of its next group while it is told about the one before.
    fn write_groups(
        &mut self,
        packer: &Packer,
        rows: &Rows,
        groups: &[&[Row]],
        done: &mut [bool],
        outcome: &mut Transacted,
    ) -> Result<(), RedisFailure> {
        let turns = self.links.len();
        let mut told: Vec<Option<Told>> = self.links.iter().map(|_| None).collect();
        for (link, group) in self.links.iter_mut().zip(groups) {
            self.calls.clear();
            look(packer, rows, group, &mut self.calls);
            link.send(self.calls.bytes(0..self.calls.len()))?;
        }
        for step in 0..groups.len() + turns {
            let link = &mut self.links[step % turns];
            if let Some(told) = told[step % turns].take() {
                match answered(link, &told)? {
                    Answer::Done(written) => {
                        done[step - turns] = true;
                        outcome.written += written;
                    }
                    Answer::Changed => {}
                    Answer::Refused => outcome.failed = true,
                }
            }
            let Some(group) = groups.get(step) else { continue };
            self.calls.clear();
            told[step % turns] = Some(match looked(packer, link, group)? {
                None => Told::Refused,
                Some(due) if due.is_empty() => Told::Nothing,
                Some(due) => {
                    self.calls.add(0, &[b"MULTI"]);
                    let commands = due.iter().map(|row| packer.pack_replacement(row, rows, &mut self.calls)).sum();
                    self.calls.add(0, &[b"EXEC"]);
                    Told::Write { due: due.len() as u64, commands }
                }
            });
            if self.calls.len() == 0 {
                self.calls.add(0, &[b"UNWATCH"]);
            }
            if let Some(next) = groups.get(step + turns) {
                look(packer, rows, next, &mut self.calls);
            }
            link.send(self.calls.bytes(0..self.calls.len()))?;
        }
        Ok(())
    }
}

/// Result of the transaction sent on a connection.
enum Answer {
    /// All is well; the number is that of the rows that were written.
    Done(u64),
    /// Somebody has changed a key in between.
    Changed,
    Refused,
}

fn are_distinct(rows: &Rows, group: &[Row]) -> bool {
    let keys: HashSet<&[u8]> = group.iter().map(|row| rows.key(row)).collect();
    keys.len() == group.len()
}

/// The commands that watch the keys of a group and ask for their times.
fn look(packer: &Packer, rows: &Rows, group: &[Row], calls: &mut Calls) {
    calls.begin(0, 1 + group.len());
    calls.argument(b"WATCH");
    group.iter().for_each(|row| calls.argument(rows.key(row)));
    for row in group {
        packer.pack_look(row, rows, calls);
    }
}

/// The rows of a group that replace what is stored; `None` if the server refuses.
fn looked<'a>(packer: &Packer, link: &mut Link, group: &'a [Row]) -> Result<Option<Vec<&'a Row>>, RedisFailure> {
    let mut refused = matches!(link.receive()?, Value::ServerError(_));
    let mut due = Vec::with_capacity(group.len());
    for row in group {
        match link.receive()? {
            Value::Nil => due.push(row),
            Value::BulkString(stored) if packer.is_due(row, &stored) => due.push(row),
            Value::BulkString(_) => {}
            _ => refused = true,
        }
    }
    Ok((!refused).then_some(due))
}

fn answered(link: &mut Link, told: &Told) -> Result<Answer, RedisFailure> {
    let Told::Write { due, commands } = told else {
        let refused = matches!(link.receive()?, Value::ServerError(_)) || matches!(told, Told::Refused);
        return Ok(if refused { Answer::Refused } else { Answer::Done(0) });
    };
    let mut refused = false;
    // That of MULTI, and that each command waits.
    for _ in 0..1 + commands {
        refused |= matches!(link.receive()?, Value::ServerError(_));
    }
    let carried_out = |answers: &[Value]| !answers.iter().any(|answer| matches!(answer, Value::ServerError(_)));
    Ok(match link.receive()? {
        Value::Nil => Answer::Changed,
        Value::Array(answers) if !refused && carried_out(&answers) => Answer::Done(*due),
        _ => Answer::Refused,
    })
}
