//! Clients that ask a server of features all the time, and note what they get.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle, sleep},
    time::{Duration, Instant},
};

use serde_json::Value as Json;

use super::server::{FeatureServer, Response};
use crate::servers::PASSWORD;

/// How long something may take that is to happen at once, on a machine that does much else: less than any server is
/// waited for in vain.
pub const SOON: Duration = Duration::from_secs(8);

/// Clients, each of which asks, waits for the answer, and asks again, over a connection that is kept.
pub struct Load {
    is_over: Arc<AtomicBool>,
    /// What each client has got.
    seen: Vec<Arc<Mutex<Vec<Seen>>>>,
    clients: Vec<JoinHandle<()>>,
}

/// An answer that a client has got.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When it was asked for.
    pub asked: Instant,
    pub took: Duration,
    pub answer: Response,
}

impl Load {
    /// Clients that ask for these features.
    pub fn start(server: &FeatureServer<'_>, clients: usize, body: &Json) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let seen: Vec<Arc<Mutex<Vec<Seen>>>> = (0..clients).map(|_| Arc::default()).collect();
        let client = |seen: &Arc<Mutex<Vec<Seen>>>| {
            let (mut connection, body, seen) = (server.connect(), body.to_string(), Arc::clone(seen));
            let is_over = Arc::clone(&is_over);
            thread::spawn(move || {
                while !is_over.load(Ordering::SeqCst) {
                    let asked = Instant::now();
                    let answer = connection.ask("POST", "/get-online-features", &body);
                    seen.lock().unwrap().push(Seen { asked, took: asked.elapsed(), answer });
                    // There are other tests.
                    sleep(Duration::from_millis(2));
                }
            })
        };
        let clients = seen.iter().map(client).collect();
        Self { is_over, seen, clients }
    }

    /// Waits until each client has asked from now on and got such an answer.
    #[track_caller]
    pub fn until(&self, what: &str, is_so: impl Fn(&Response) -> bool) {
        let began = Instant::now();
        let has_seen = |client: &Arc<Mutex<Vec<Seen>>>| {
            let seen = client.lock().unwrap();
            seen.iter().rev().take_while(|seen| seen.asked >= began).any(|seen| is_so(&seen.answer))
        };
        while !self.seen.iter().all(has_seen) {
            let last = || self.seen[0].lock().unwrap().last().cloned();
            assert!(began.elapsed() < SOON, "not in time: {what}; the last answer was {:?}", last());
            sleep(Duration::from_millis(5));
        }
    }

    /// The same, for answers with a status.
    #[track_caller]
    pub fn until_status(&self, status: u16) {
        self.until(&status.to_string(), |answer| answer.status == status);
    }

    /// Ends it, and gives what each client has got, in its order.
    pub fn end(self) -> Vec<Vec<Seen>> {
        self.is_over.store(true, Ordering::SeqCst);
        // A request without an answer is a panic.
        self.clients.into_iter().for_each(|client| client.join().unwrap());
        self.seen.iter().map(|seen| std::mem::take(&mut *seen.lock().unwrap())).collect()
    }
}

impl Seen {
    /// Asserts that it is this answer, or that the store is away, told before the deadline and a while.
    #[track_caller]
    pub fn is_right_or_away(&self, right: &Response, deadline: Duration) {
        assert!(self.took < deadline + SOON, "{self:?}");
        if self.answer.status == 200 {
            assert_eq!(self.answer.body, right.body);
            return;
        }
        assert!(matches!(self.answer.status, 503 | 504), "{self:?}");
        assert_eq!(self.answer.failure()["class"], "FeastError");
        assert!(!self.answer.body.contains(PASSWORD), "{self:?}");
    }
}

/// How many files and connections a server has open.
pub fn open_files(server: &FeatureServer<'_>) -> usize {
    let folder: PathBuf = format!("/proc/{}/fd", server.process()).into();
    std::fs::read_dir(folder).unwrap().count()
}

/// Waits until something is so, which is to happen at once.
#[track_caller]
pub fn soon(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < SOON, "not in time: {what}");
        sleep(Duration::from_millis(10));
    }
}
