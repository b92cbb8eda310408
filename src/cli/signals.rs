//! What happens before a signal ends the program.

use std::{
    sync::{Mutex, Once, PoisonError},
    thread,
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
    low_level::emulate_default_handler,
};

use crate::{app::FeatureStore, offline::Cancel, sink::remove_unfinished, spill};

/// From now on Ctrl-C and `kill` end the program only after its temporary files and unfinished
/// outputs are gone.
pub(crate) fn remove_temporary_files() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let ignored = ignored();
        // Where signals cannot be watched, the next query cleans up.
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM].into_iter().filter(|signal| !ignored.contains(signal)))
        else {
            return;
        };
        let end = move || {
            let is_last = |_: &i32| match END.lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(end) => {
                    end();
                    false
                }
                None => true,
            };
            if let Some(signal) = signals.forever().find(is_last) {
                clean_up();
                let _ = emulate_default_handler(signal);
            }
        };
        let _ = thread::Builder::new().name("signals".to_owned()).spawn(end);
    });
}

/// Removes temporary files and unfinished outputs of whatever still goes on: the program is about to end.
pub(crate) fn clean_up() {
    remove_unfinished();
    spill::remove_all();
}

/// What the first signal does instead of ending the program.
static END: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

/// The first signal only calls `end`; the next one ends the program.
pub(crate) fn end_by(end: impl FnOnce() + Send + 'static) {
    *END.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(end));
    remove_temporary_files();
}

/// The first signal calls off what an engine elsewhere is asked, if the settings name one: it would go on with it else.
pub(crate) fn call_off_engine(store: &FeatureStore, cancel: &Cancel) {
    if store.config().engine().is_some() {
        let cancel = cancel.clone();
        end_by(move || cancel.cancel());
    }
}

/// The signals that the parent of this process wants it to ignore, as shells do for what runs in the background.
fn ignored() -> Vec<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    [SIGINT, SIGTERM].into_iter().filter(|signal| mask.unwrap_or(0) >> (signal - 1) & 1 == 1).collect()
}
