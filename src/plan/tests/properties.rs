//! What holds for all pairs of repos.

use proptest::prelude::*;

use super::*;
use crate::model::{PROTECT_TAG, RENAMED_FROM_TAG};

fn any_repo() -> impl Strategy<Value = Repo> {
    let names = || prop::sample::subsequence(vec!["a", "b", "c", "d"], 0..4);
    let any_view = (names(), any::<bool>(), prop::option::of("[vw][0-3]"), any::<bool>(), any::<bool>());
    let views = prop::collection::btree_map("[vw][0-3]", any_view, 0..6);
    let services =
        prop::collection::btree_map("s[0-3]", prop::collection::vec(any::<prop::sample::Index>(), 0..3), 0..3);
    (views, services).prop_map(|(views, services)| {
        let (mut plain, mut streams) = (Vec::new(), Vec::new());
        for (name, (features, online, renamed_from, protected, is_stream)) in views {
            let mut view = view(&name, &features);
            view.online = online;
            view.tags.extend(renamed_from.map(|old| (RENAMED_FROM_TAG.to_owned(), old)));
            view.tags.extend(protected.then(|| (PROTECT_TAG.to_owned(), "true".to_owned())));
            if is_stream {
                streams.push(StreamFeatureView { tags: view.tags.clone(), ..stream_view(&view) })
            } else {
                plain.push(view)
            }
        }
        let select = |picks: Vec<prop::sample::Index>| -> Vec<&FeatureView> {
            if plain.is_empty() { Vec::new() } else { picks.iter().map(|pick| pick.get(&plain)).collect() }
        };
        let services = services.into_iter().map(|(name, picks)| service(&name, &select(picks))).collect();
        repo(plain.clone(), services).with(streams)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever there was, after a plan was carried out nothing is left to do.
    #[test]
    fn a_carried_out_plan_leaves_nothing_to_do(before in any_repo(), after in any_repo(), named in any::<bool>()) {
        let name = named.then_some("team-a");
        let first = diff(&RegistryState::default(), &before, setting(name)).unwrap();
        let state = carried_out(RegistryState::default(), &first);
        prop_assert!(diff(&state, &before, setting(name)).unwrap().is_empty());

        let plan = diff(&state, &after, setting(name)).unwrap();
        prop_assert_eq!(plan.to_json().unwrap(), diff(&state, &after, setting(name)).unwrap().to_json().unwrap());
        let saved = SavedPlan::parse(&plan.to_json().unwrap()).unwrap();
        prop_assert_eq!(saved.differences(&SavedPlan::of(&plan).unwrap()), []);
        let state = carried_out(state, &plan);
        let rest = diff(&state, &after, setting(name)).unwrap();
        prop_assert!(rest.is_empty(), "{:#?}", rest);
        prop_assert_eq!(&state.objects, after.objects());
    }

    /// What one repo with a name does leaves the objects of another alone.
    #[test]
    fn two_repos_with_names_leave_each_other_alone(one in any_repo(), two in any_repo(), later in any_repo()) {
        let state = carried_out(RegistryState::default(), &diff(&RegistryState::default(), &one, setting(Some("one"))).unwrap());
        let Ok(second) = diff(&state, &two, setting(Some("two"))) else { return Ok(()) };
        let state = carried_out(state, &second);
        let Ok(third) = diff(&state, &later, setting(Some("two"))) else { return Ok(()) };
        let state = carried_out(state, &third);
        for (id, object) in one.objects() {
            prop_assert_eq!(state.objects.get(id), Some(object));
        }
        prop_assert!(diff(&state, &one, setting(Some("one"))).unwrap().is_empty());
    }
}
