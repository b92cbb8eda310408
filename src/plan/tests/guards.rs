//! What a repo may not touch: protected objects, and those of other repos.

use super::*;
use crate::model::{PROTECT_TAG, RENAMED_FROM_TAG};

#[test]
fn protected_objects_are_not_harmed() {
    let protect = |tags: &mut Tags| drop(tags.insert(PROTECT_TAG.to_owned(), "true".to_owned()));
    let mut guarded = view("v", &["a", "b"]);
    protect(&mut guarded.tags);
    let mut user = service("s", &[&guarded]);
    protect(&mut user.tags);
    let state = applied(&repo(vec![guarded.clone()], vec![user.clone()]));
    let everything = |plan: &Plan| plan.blocked(Consent::Everything).len();
    let allow = ["*/*".parse().unwrap()];

    let plan = planned(&state, &repo(Vec::new(), Vec::new()));
    assert_eq!((everything(&plan), plan.blocked(Consent::Named(&allow)).len()), (2, 2));
    assert!(plan.blocked(Consent::Everything).iter().all(|blocked| blocked.permission().is_none()));

    // The service is broken by what happens to the view.
    let mut less = guarded.clone();
    less.features.pop();
    let mut smaller = service("s", &[&less]);
    protect(&mut smaller.tags);
    let plan = planned(&state, &repo(vec![less], vec![smaller]));
    assert_eq!(plan.blocked(Consent::Everything)[0].protected.len(), 2);

    // A rename is harm, too; more features are none.
    let mut renamed = guarded.clone();
    renamed.name = "w".to_owned();
    renamed.tags.insert(RENAMED_FROM_TAG.to_owned(), "v".to_owned());
    let plan = planned(
        &state,
        &repo(vec![renamed.clone()], vec![FeatureService { tags: user.tags.clone(), ..service("s", &[&renamed]) }]),
    );
    assert_eq!(everything(&plan), 1);
    let mut more = guarded.clone();
    more.features.push(Field::new("c", DataType::Int64));
    assert_eq!(everything(&planned(&state, &repo(vec![more], vec![user.clone()]))), 0);

    // Without the tag in the registry everything is as usual.
    let mut free = guarded.clone();
    free.tags.clear();
    let unprotected = planned(&state, &repo(vec![free.clone()], vec![user]));
    assert_eq!((unprotected.changes.len(), everything(&unprotected)), (1, 0));
    let state = applied(&repo(vec![free], Vec::new()));
    assert_eq!(everything(&planned(&state, &repo(Vec::new(), Vec::new()))), 0);
}

#[test]
fn repos_with_names_delete_only_what_they_applied() {
    let id = |name: &str| ObjectId::new(ObjectKind::FeatureView, name);
    let mut state =
        applied(&repo(vec![view("ours", &["a"]), view("theirs", &["a"]), view("nobodys", &["a"])], Vec::new()));
    state.owners = [(id("ours"), "team-a".to_owned()), (id("theirs"), "team-b".to_owned())].into();
    let empty = repo(Vec::new(), Vec::new());

    let plan = diff(&state, &empty, setting(Some("team-a"))).unwrap();
    let deleted: Vec<&str> = plan.changes.iter().map(|change| change.id.name.as_str()).collect();
    assert_eq!(deleted, ["ours"]);
    let kept: Vec<_> = plan.kept.iter().map(|kept| (kept.id.name.as_str(), kept.reason.as_str())).collect();
    assert_eq!(kept, [("nobodys", "it was not applied by this repo"), ("theirs", "it was applied by repo `team-b`")]);
    let dropped: Vec<&str> = plan.tables.iter().map(|table| table.table.as_str()).collect();
    assert_eq!(dropped, ["p_ours"]);

    let plan = diff(&state, &empty, setting(None)).unwrap();
    let deleted: Vec<&str> = plan.changes.iter().map(|change| change.id.name.as_str()).collect();
    assert_eq!(deleted, ["nobodys"], "without a name what others own is kept");

    let changed = repo(vec![view("theirs", &["b"])], Vec::new());
    for name in [Some("team-a"), None] {
        let conflicts = diff(&state, &changed, setting(name)).unwrap_err();
        assert_eq!(
            conflicts[0].to_string(),
            "feature view theirs cannot be applied: the registry holds feature view theirs, and it was applied by repo `team-b`"
        );
        assert_eq!(conflicts[0].owner.as_deref(), Some("team-b"));
    }
    // The same name in another kind, or in other letters, is in the way as well.
    let namesakes = repo(Vec::new(), Vec::new()).with([stream_view(&view("theirs", &["a"]))]);
    assert_eq!(diff(&state, &namesakes, setting(Some("team-a"))).unwrap_err().len(), 1);
    assert_eq!(
        diff(&state, &repo(vec![view("Theirs", &["a"])], Vec::new()), setting(Some("team-a"))).unwrap_err().len(),
        1
    );

    let plan = diff(&state, &repo(vec![view("nobodys", &["b"])], Vec::new()), setting(Some("team-a"))).unwrap();
    assert!(plan.taken_over.contains(&id("nobodys")), "{:?}", plan.taken_over);
    // An equal declaration of what another repo applied changes nothing.
    let plan =
        diff(&state, &repo(vec![view("theirs", &["a"]), view("ours", &["a"])], Vec::new()), setting(Some("team-a")))
            .unwrap();
    assert!(plan.changes.is_empty() && !plan.taken_over.contains(&id("theirs")));
}

#[test]
fn what_another_repo_uses_is_broken_in_its_name() {
    let old = view("v", &["a", "b"]);
    let mut state = applied(&repo(vec![old.clone()], vec![service("s", &[&old])]));
    state.owners = [(ObjectId::new(ObjectKind::FeatureService, "s"), "team-b".to_owned())].into();
    let plan = diff(&state, &repo(vec![view("v", &["b"])], Vec::new()), setting(Some("team-a"))).unwrap();
    assert_eq!(
        change(&plan, ObjectKind::FeatureView, "v").reason,
        "removing `v.a` breaks feature service `s` (owner models@example.com, applied by repo team-b); loses the \
         online values of `v.a`"
    );
}
