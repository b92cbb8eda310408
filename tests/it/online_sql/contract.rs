//! What every store with tables does.

use feastr::online::{Replace, StoredValue};

use super::{Row, TestStore, counts, found, integer, key, layout, on_every_backend, read, row, stats, write};
use crate::online::{ReadRequest, read_all};

on_every_backend!(
    values_come_back_as_asked_for,
    newer_values_stay,
    everything_gives_way_when_told_to,
    views_and_projects_are_apart,
    values_of_removed_views_go,
    expired_values_go_in_pages,
    what_is_missing_is_no_error,
    numbers_have_a_column_where_feast_wants_one,
);

fn values_come_back_as_asked_for(test: &TestStore) {
    let store = test.open();
    write(store.as_ref(), stats(), Replace::Outdated, &[row(1, 100, 10), row(2, 200, 20)]);
    let null = Row { values: vec![Vec::new(), integer(5)], ..row(3, 300, 0) };
    write(store.as_ref(), layout("p", "other", &["b", "a"]), Replace::Outdated, &[null]);
    let request = |view: &str, features: &[&str], keys: &[u32]| ReadRequest {
        view: view.to_owned(),
        features: features.iter().map(|&name| name.to_owned()).collect(),
        keys: keys.iter().copied().map(key).collect(),
    };
    let answer = read_all(
        store.as_ref(),
        "p",
        &[
            // Repeated, in another order, with what is not there.
            request("stats", &["rate", "none", "trips", "rate"], &[2, 9, 1, 2]),
            request("other", &["a", "b"], &[3, 1]),
            request("stats", &["trips"], &[]),
            request("missing", &["x"], &[1]),
        ],
    )
    .unwrap();
    let nothing = StoredValue::NotFound;
    let of =
        |value, seconds| vec![found(value, seconds), nothing.clone(), found(value, seconds), found(value, seconds)];
    let null = StoredValue::Found { value: Vec::new(), event: super::at(300) };
    assert_eq!(answer[0], [of(20, 200), vec![nothing.clone(); 4], of(10, 100), of(20, 200)]);
    assert_eq!(answer[1], [vec![found(5, 300), null], vec![nothing.clone(); 2]]);
    assert_eq!(answer[2], Vec::<Vec<StoredValue>>::new());
    assert_eq!(answer[3], [[nothing]]);
    // Feast's way to write a null: no bytes and no text.
    let rows = test.rows("p_other");
    assert_eq!(rows[1], (key(3), "b".to_owned(), Vec::new(), None, 300, None));
    assert_eq!(rows[0], (key(3), "a".to_owned(), integer(5), Some("5".to_owned()), 300, None));
}

fn newer_values_stay(test: &TestStore) {
    let store = test.open();
    let one = |row: Row| write(store.as_ref(), stats(), Replace::Outdated, &[row]);
    assert_eq!(one(row(1, 100, 1)), counts(1, 0));
    assert_eq!(one(row(1, 99, 2)), counts(0, 1));
    assert_eq!(read(store.as_ref(), &[1])[0], [found(1, 100), found(1, 100)]);
    // Of the same moment the later write counts, unless it was created earlier.
    assert_eq!(one(row(1, 100, 3).created(50)), counts(1, 0));
    assert_eq!(one(row(1, 100, 4).created(49)), counts(0, 1));
    assert_eq!(one(row(1, 100, 5).created(50)), counts(1, 0));
    assert_eq!(read(store.as_ref(), &[1])[0][0], found(5, 100));
    assert_eq!(one(row(1, 100, 6)), counts(1, 0));
    assert_eq!(one(row(1, 101, 7).created(1)), counts(1, 0));
    assert_eq!(read(store.as_ref(), &[1])[0], [found(7, 101), found(7, 101)]);
    assert_eq!(test.rows("p_stats")[0].5, Some(1));
    // A batch of both.
    let batch = [row(1, 5, 8), row(2, 5, 8), row(3, 5, 8)];
    assert_eq!(write(store.as_ref(), stats(), Replace::Outdated, &batch), counts(2, 1));
}

fn everything_gives_way_when_told_to(test: &TestStore) {
    let store = test.open();
    write(store.as_ref(), stats(), Replace::Outdated, &[row(1, 100, 1)]);
    assert_eq!(write(store.as_ref(), stats(), Replace::Everything, &[row(1, 50, 2)]), counts(1, 0));
    assert_eq!(read(store.as_ref(), &[1])[0], [found(2, 50), found(2, 50)]);
}

fn views_and_projects_are_apart(test: &TestStore) {
    let store = test.open();
    for project in ["p", "up", "p2"] {
        for view in ["stats", "tats"] {
            let layout = layout(project, view, &["trips", "rate"]);
            write(store.as_ref(), layout, Replace::Outdated, &[row(1, 100, 1)]);
        }
    }
    store.remove_views(&[stats()], &mut |_| {}).unwrap();
    assert_eq!(read(store.as_ref(), &[1])[0], [StoredValue::NotFound, StoredValue::NotFound]);
    for table in ["p_tats", "up_stats", "up_tats", "p2_stats", "p2_tats"] {
        assert_eq!(test.rows(table).len(), 2, "{table}");
    }
}

fn values_of_removed_views_go(test: &TestStore) {
    let store = test.open();
    let rows: Vec<Row> = (0..2500).map(|number| row(number, 100, 1)).collect();
    write(store.as_ref(), stats(), Replace::Outdated, &rows);
    let mut heard = Vec::new();
    let missing = layout("p", "missing", &["x"]);
    assert_eq!(store.remove_views(&[missing, stats(), stats()], &mut |count| heard.push(count)).unwrap(), 2500);
    assert_eq!(heard.last(), Some(&2500));
    assert_eq!(read(store.as_ref(), &[7])[0][0], StoredValue::NotFound);
    assert_eq!(store.remove_views(&[stats()], &mut |_| {}).unwrap(), 0);
    // The view may come back.
    assert_eq!(write(store.as_ref(), stats(), Replace::Outdated, &rows[..1]), counts(1, 0));
}

fn expired_values_go_in_pages(test: &TestStore) {
    let store = test.open();
    let rows: Vec<Row> = (0..3000).map(|number| row(number, i64::from(number), 1)).collect();
    write(store.as_ref(), stats(), Replace::Outdated, &rows);
    let mut heard = Vec::new();
    let missing = (layout("p", "missing", &["x"]), super::at(10));
    let removed = store.remove_expired(&[missing, (stats(), super::at(2500))], &mut |count| heard.push(count));
    assert_eq!(removed.unwrap(), 2500);
    assert!(heard.len() >= 3 && heard.is_sorted() && heard.last() == Some(&2500), "{heard:?}");
    assert_eq!(test.rows("p_stats").len(), 1000);
    assert_eq!(read(store.as_ref(), &[2500, 2499])[0][0], found(1, 2500));
    assert_eq!(read(store.as_ref(), &[2500, 2499])[1][0], StoredValue::NotFound);
    assert_eq!(store.remove_expired(&[(stats(), super::at(2500))], &mut |_| {}).unwrap(), 0);
}

fn what_is_missing_is_no_error(test: &TestStore) {
    let store = test.open();
    assert_eq!(read(store.as_ref(), &[1])[0], [StoredValue::NotFound, StoredValue::NotFound]);
    assert_eq!(store.remove_views(&[stats()], &mut |_| {}).unwrap(), 0);
    assert_eq!(store.remove_expired(&[(stats(), super::at(1))], &mut |_| {}).unwrap(), 0);
    store.prepare_views("p", &[]).unwrap();
    store.prepare_views("p", &["stats", "other"]).unwrap();
    store.prepare_views("p", &["stats"]).unwrap();
    let Some(tables) = store.recorded_tables() else { return };
    assert_eq!(tables.existing(&["p_none", "p_other"]).unwrap(), ["p_other"]);
    tables.remove(&["p_stats", "p_none"]).unwrap();
    assert_eq!(tables.existing(&["p_stats", "p_other"]).unwrap(), ["p_other"]);
}

fn numbers_have_a_column_where_feast_wants_one(test: &TestStore) {
    use feastr::feast::values::value::{Kind, Value};
    use prost::Message as _;
    let kinds = [
        (Kind::Int32(-3), Some(-3.0)),
        (Kind::Int64(47), Some(47.0)),
        (Kind::Float(1.5), Some(1.5)),
        (Kind::Double(1e300), Some(1e300)),
        (Kind::Bool(true), Some(1.0)),
        (Kind::String("7".to_owned()), None),
        (Kind::UnixTimestamp(7), None),
    ];
    let names: Vec<String> = (0..kinds.len()).map(|number| format!("f{number}")).collect();
    let features: Vec<&str> = names.iter().map(String::as_str).collect();
    let row = |seconds| Row {
        values: kinds.iter().map(|(kind, _)| Value::from(kind.clone()).encode_to_vec()).collect(),
        ..super::row(1, seconds, 0)
    };
    let view = || layout("p", "numbers", &features);
    // A table without the column gets it, and a store that was not told of it fills it.
    write(test.open().as_ref(), view(), Replace::Outdated, &[row(1)]);
    test.open_with_numbers().prepare_views("p", &["numbers"]).unwrap();
    write(test.open().as_ref(), view(), Replace::Outdated, &[row(2)]);
    let select = "SELECT value_num FROM p_numbers ORDER BY feature_name";
    let stored: Vec<Option<f64>> = match test.backend {
        super::Backend::Sqlite => {
            let connection = test.sqlite();
            let mut statement = connection.prepare(select).unwrap();
            let rows = statement.query_map([], |row| row.get(0));
            rows.unwrap().map(Result::unwrap).collect()
        }
        super::Backend::Postgres => test.postgres().query(select, &[]).unwrap().iter().map(|row| row.get(0)).collect(),
    };
    assert_eq!(stored, kinds.iter().map(|(_, number)| *number).collect::<Vec<_>>());
    test.execute("DROP TABLE p_numbers");
    write(test.open_with_numbers().as_ref(), view(), Replace::Outdated, &[row(1)]);
    test.execute("SELECT value_num FROM p_numbers");
}
