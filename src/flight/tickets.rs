//! Rows that came with a command before they are asked for, as clients of earlier times send them, and the tickets for what
//! the command gives. Only who brought them finds them, once and for a while.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tonic::Status;

use super::{asking::Owner, request::Question};

/// How many commands one may keep waiting, and how many all of them together.
const MOST: [usize; 2] = [100, 1_000];

/// How many bytes of commands may be kept.
const MOST_BYTES: usize = 64 << 20;

/// Random bytes of a ticket.
const RANDOM: usize = 24;

/// What is kept until somebody asks for it.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    limit: Duration,
    kept: Mutex<HashMap<Key, Kept>>,
}

/// Who may ask, and the descriptor of the command.
type Key = (Owner, Vec<u8>);

#[derive(Debug)]
struct Kept {
    ticket: String,
    until: Instant,
    question: Question,
}

impl Tickets {
    /// None yet; each is kept for so long.
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, kept: Mutex::default() }
    }

    /// Keeps a question with its rows, in place of an earlier one with the same descriptor.
    ///
    /// # Errors
    /// When too many are kept.
    pub(super) fn keep(&self, owner: &Owner, descriptor: &[u8], question: Question) -> Result<(), Status> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        kept.retain(|_, kept| kept.until > now);
        let key = (owner.clone(), descriptor.to_vec());
        let others = || kept.keys().filter(|known| **known != key);
        let own = others().filter(|(known, _)| known == owner).count();
        let bytes = others().map(|(_, descriptor)| descriptor.len()).sum::<usize>() + descriptor.len();
        if own >= MOST[0] || others().count() >= MOST[1] || bytes > MOST_BYTES {
            return Err(Status::resource_exhausted("too many commands wait to be asked for (ask for some first)"));
        }
        let random: [u8; RANDOM] = rand::random();
        let until = now.checked_add(self.limit).unwrap_or(now);
        kept.insert(key, Kept { ticket: URL_SAFE_NO_PAD.encode(random), until, question });
        Ok(())
    }

    /// The ticket of a command that somebody has brought.
    pub(super) fn of(&self, owner: &Owner, descriptor: &[u8]) -> Option<String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(&(owner.clone(), descriptor.to_vec()))?;
        (found.until > Instant::now()).then(|| found.ticket.clone())
    }

    /// The question of a ticket, which is gone then.
    pub(super) fn redeem(&self, owner: &Owner, ticket: &[u8]) -> Option<Question> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |(key, kept): &(&Key, &Kept)| key.0 == *owner && kept.ticket.as_bytes() == ticket;
        let key = kept.iter().find(is_it)?.0.clone();
        let found = kept.remove(&key)?;
        (found.until > Instant::now()).then_some(found.question)
    }

    /// Descriptors and tickets of what somebody has brought.
    pub(super) fn all_of(&self, owner: &Owner) -> Vec<(Vec<u8>, String)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let own = kept.iter().filter(|((known, _), kept)| known == owner && kept.until > now);
        own.map(|((_, descriptor), kept)| (descriptor.clone(), kept.ticket.clone())).collect()
    }

    /// Lets go of what nobody asks for any more.
    pub(super) fn sweep(&self) {
        let now = Instant::now();
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, kept| kept.until > now);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::model::{DataSource, FileSource, SourceKind};

    fn owner(last: u8) -> Owner {
        Owner::Address(Some(IpAddr::from([127, 0, 0, last])))
    }

    fn question() -> Question {
        Question::Columns(Box::new(DataSource::new("s", SourceKind::File(FileSource::default()))))
    }

    #[test]
    fn a_ticket_is_good_once_and_for_its_owner() {
        let tickets = Tickets::new(Duration::from_secs(600));
        tickets.keep(&owner(1), b"c", question()).unwrap();
        assert_eq!(tickets.of(&owner(2), b"c"), None);
        let ticket = tickets.of(&owner(1), b"c").unwrap();
        assert!(ticket.len() >= 32 && tickets.redeem(&owner(2), ticket.as_bytes()).is_none());
        assert!(tickets.all_of(&owner(2)).is_empty() && tickets.all_of(&owner(1)).len() == 1);
        assert!(tickets.redeem(&owner(1), b"c").is_none());
        assert!(tickets.redeem(&owner(1), ticket.as_bytes()).is_some());
        assert!(tickets.redeem(&owner(1), ticket.as_bytes()).is_none());
    }

    #[test]
    fn what_nobody_asks_for_is_let_go() {
        let tickets = Tickets::new(Duration::ZERO);
        tickets.keep(&owner(1), b"c", question()).unwrap();
        assert_eq!(tickets.of(&owner(1), b"c"), None);
        tickets.sweep();
        assert!(tickets.kept.lock().unwrap().is_empty());
    }

    #[test]
    fn nobody_fills_the_memory() {
        let tickets = Tickets::new(Duration::from_secs(600));
        for number in 0..MOST[0] {
            tickets.keep(&owner(1), number.to_string().as_bytes(), question()).unwrap();
        }
        assert!(tickets.keep(&owner(1), b"more", question()).is_err());
        assert!(tickets.keep(&owner(1), b"0", question()).is_ok(), "it takes the place of the earlier one");
        assert!(tickets.keep(&owner(2), b"more", question()).is_ok());
    }
}
