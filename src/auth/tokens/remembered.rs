//! Tokens that were found right: who asks with them, until they end or keys change.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest as _, Sha256};

use crate::{model::Timestamp, permissions::User};

/// How many tokens are remembered.
const MOST: usize = 10_000;

/// What stands for a token, so that none is kept.
pub(in crate::auth) type TokenDigest = [u8; 32];

/// Tokens that were found right.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<HashMap<TokenDigest, Known>>);

#[derive(Debug)]
struct Known {
    user: Arc<User>,
    end: Timestamp,
    /// Which keys it was found right with.
    generation: u64,
}

pub(in crate::auth) fn digest(token: &str) -> TokenDigest {
    Sha256::digest(token.as_bytes()).into()
}

impl Remembered {
    /// Who asks with a token, if it was found right with the same keys and has not ended.
    pub(super) fn get(&self, digest: &TokenDigest, generation: u64, now: Timestamp) -> Option<Arc<User>> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tokens.get(digest)?;
        (known.generation == generation && now < known.end).then(|| Arc::clone(&known.user))
    }

    /// Remembers a token. Where there are too many, those that count no more make room, or else all.
    pub(super) fn put(&self, digest: TokenDigest, user: &Arc<User>, end: Timestamp, generation: u64, now: Timestamp) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MOST {
            tokens.retain(|_, known| known.generation == generation && now < known.end);
            if tokens.len() >= MOST {
                tokens.clear();
            }
        }
        tokens.insert(digest, Known { user: Arc::clone(user), end, generation });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    #[test]
    fn a_token_is_remembered_until_its_end_and_for_its_keys() {
        let (remembered, user) = (Remembered::default(), Arc::new(User::default()));
        remembered.put(digest("a"), &user, at(10), 1, at(0));
        assert!(remembered.get(&digest("a"), 1, at(9)).is_some());
        assert!(remembered.get(&digest("a"), 1, at(10)).is_none());
        assert!(remembered.get(&digest("a"), 2, at(9)).is_none() && remembered.get(&digest("b"), 1, at(9)).is_none());
    }

    #[test]
    fn many_tokens_cost_no_memory() {
        let (remembered, user) = (Remembered::default(), Arc::new(User::default()));
        for number in 0..2 * MOST + 1 {
            let end = if number % 2 == 0 { at(10) } else { at(1) };
            remembered.put(digest(&number.to_string()), &user, end, 1, at(5));
            assert!(remembered.0.lock().unwrap().len() <= MOST);
        }
        assert!(remembered.get(&digest(&(2 * MOST).to_string()), 1, at(5)).is_some());
    }
}
