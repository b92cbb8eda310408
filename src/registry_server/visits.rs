//! Who looked at what: kept in memory for as long as the server lives, so that reading writes nothing.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use serde_json::{Value as Json, json};

use crate::{app::Caller, model::Timestamp};

/// So many visits of somebody are kept.
const MOST_VISITS: usize = 100;

/// Visits of so many people are kept; those of who was away longest give way.
const MOST_PEOPLE: usize = 1000;

/// Who looked at what.
#[derive(Debug, Default)]
pub(super) struct Visits {
    kept: Mutex<BTreeMap<String, VecDeque<Visit>>>,
}

/// That somebody looked at an object.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    /// Where it is, as Feast has it.
    pub(super) path: String,
    /// When.
    pub(super) moment: Timestamp,
    /// The project of the object.
    pub(super) project: String,
    /// The word for such objects in paths.
    pub(super) object: String,
    /// The name of the object.
    pub(super) name: String,
}

impl Visits {
    /// Notes what somebody has seen.
    pub(super) fn note(&self, caller: &Caller, visit: Visit) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let visits = kept.entry(user(caller)).or_default();
        if visits.len() >= MOST_VISITS {
            visits.pop_front();
        }
        visits.push_back(visit);
        if kept.len() > MOST_PEOPLE {
            let longest = kept.iter().min_by_key(|(_, visits)| visits.back().map(|visit| visit.moment));
            if let Some(user) = longest.map(|(user, _)| user.clone()) {
                kept.remove(&user);
            }
        }
    }

    /// What somebody has seen, of a project and of one word for objects if these are not empty; the latest last.
    pub(super) fn of(&self, caller: &Caller, project: &str, object: &str) -> Vec<Json> {
        let user = user(caller);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wanted = |visit: &&Visit| {
            (project.is_empty() || visit.project == project) && (object.is_empty() || visit.object == object)
        };
        let visits = kept.get(&user).into_iter().flatten().filter(is_wanted);
        visits.map(|visit| visit.shown(&user)).collect()
    }
}

impl Visit {
    fn shown(&self, user: &str) -> Json {
        json!({
            "path": self.path,
            "timestamp": self.moment.to_micros_text(),
            "project": self.project,
            "user": user,
            "object": self.object,
            "object_name": self.name,
            "method": "GET",
        })
    }
}

/// The name of who asks; where nobody is asked for one, Feast's word for all.
fn user(caller: &Caller) -> String {
    match caller {
        Caller::User(user) => user.name.clone(),
        Caller::Operator(_) | Caller::Internal => "anonymous".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::permissions::User;

    fn visit(number: i64, object: &str) -> Visit {
        let (path, name) = (format!("/api/v1/{object}/{number}"), number.to_string());
        let (project, object) = ("p".to_owned(), object.to_owned());
        Visit { path, moment: Timestamp::from_micros(number), project, object, name }
    }

    #[test]
    fn the_latest_visits_of_everybody_are_kept() {
        let (visits, operator) = (Visits::default(), Caller::Operator("me".to_owned()));
        for number in 0..150 {
            visits.note(&operator, visit(number, if number % 2 == 0 { "entities" } else { "features" }));
        }
        let all = visits.of(&operator, "", "");
        assert_eq!((all.len(), &all[0]["object_name"], &all[99]["object_name"]), (100, &json!("50"), &json!("149")));
        assert_eq!(visits.of(&operator, "p", "entities").len(), 50);
        assert_eq!(visits.of(&operator, "q", "").len(), 0);
        for number in 0..2000 {
            let user = User { name: format!("user {number}"), ..User::default() };
            visits.note(&Caller::User(Arc::new(user)), visit(1000 + number, "entities"));
        }
        assert_eq!(visits.kept.lock().unwrap().len(), MOST_PEOPLE);
        assert_eq!(visits.of(&operator, "", "").len(), 0, "whoever was away longest gives way");
    }
}
