//! Events that come as they should, and as they do: again, late, and in another order.

use super::{Lake, Place, counts, created, removed, tell};

#[test]
fn files_are_indexed_replaced_and_removed() {
    for place in Place::all() {
        let lake = Lake::new(place);
        let server = lake.serve(&[]);
        lake.write_stats("a b+c.csv", &[("1001", 1), ("1002", 2), ("", 3)]);
        lake.write_stats("other.csv", &[("1003", 4)]);
        let told =
            tell(&server, &[created("stats/a+b%2Bc.csv", "A"), created("stats/other.csv", "B"), created("x", "C")]);
        assert_eq!(counts(told), [2, 0, 1]);
        assert!(lake.settled().iter().all(|(status, _)| status == "done"));
        assert_eq!(lake.drivers(), ["1001 01", "1002 02", "1003 04"]);
        let columns = "SELECT id, feature_view, event_timestamp, created_timestamp, path FROM entity_lookup.entity_driver \
                       WHERE id = '1003'";
        let path = lake.project.folder.path().canonicalize().unwrap().join("lake/stats/other.csv");
        let row = ["1003", "stats", "2026-01-01 04:00:00", "2026-01-02 00:00:00", path.to_str().unwrap()];
        assert_eq!(lake.query(columns), [row]);
        lake.write_stats("a b+c.csv", &[("1001", 1), ("1001", 9), ("1004", 5)]);
        tell(&server, &[created("stats/a+b%2Bc.csv", "D")]).ok();
        lake.settled();
        assert_eq!(lake.drivers(), ["1001 01", "1004 05", "1001 09", "1003 04"]);
        let latest = "SELECT id, event_timestamp FROM entity_lookup.latest_entity_driver WHERE feature_view = 'stats' ORDER BY id";
        let latest: Vec<String> =
            lake.query(latest).iter().map(|row| format!("{} {}", row[0], &row[1][11..13])).collect();
        assert_eq!(latest, ["1001 09", "1003 04", "1004 05"]);
        lake.remove("stats/a b+c.csv");
        tell(&server, &[removed("stats/a+b%2Bc.csv", "E")]).ok();
        lake.settled();
        assert_eq!(lake.drivers(), ["1003 04"]);
        let job =
            "SELECT status, status_msg, entity_names, feature_view, event, attempts FROM entity_lookup.job ORDER BY id";
        let jobs = lake.query(job);
        assert_eq!(jobs[0], ["done", "2 rows", "driver", "stats", "written", "1"]);
        assert_eq!(jobs[3], ["done", "removed", "driver", "stats", "removed", "1"]);
        let times = "SELECT count(*) FROM entity_lookup.job WHERE noted <= started AND started <= ended";
        assert_eq!(lake.query(times), [["4"]]);
    }
}

#[test]
fn events_and_jobs_are_counted() {
    for place in Place::all() {
        let lake = Lake::new(place);
        let server = lake.serve(&["--metrics", "--metrics-port", "0", "--attempts", "1"]);
        lake.write_stats("x.csv", &[("1", 1), ("2", 2)]);
        lake.project.write("lake/stats/bad.csv", "driver_id\n1\n");
        let events = [
            created("stats/x.csv", "A"),
            created("stats/x.csv", "A"),
            created("stats/bad.csv", "B"),
            created("x", "C"),
        ];
        assert_eq!(counts(tell(&server, &events)), [2, 1, 1]);
        lake.settled();
        crate::servers::redis::await_true("a look at the jobs", || {
            server.metrics().body.contains("feastr_entity_index_jobs{status=\"dead\"} 1")
        });
        let text = server.metrics().body;
        for line in [
            "feastr_entity_index_events_total{result=\"new\"} 2",
            "feastr_entity_index_events_total{result=\"known\"} 1",
            "feastr_entity_index_events_total{result=\"ignored\"} 1",
            "feastr_entity_index_jobs{status=\"waiting\"} 0",
            "feastr_entity_index_lag_seconds 0.0",
            "feastr_entity_index_jobs_ended_total{outcome=\"indexed\"} 1",
            "feastr_entity_index_jobs_ended_total{outcome=\"dead\"} 1",
            "feastr_entity_index_rows_total 2",
            "feast_feature_server_request_total{endpoint=\"/events\",status=\"success\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in:\n{text}");
        }
        assert!(!text.contains("feast_push_request"), "{text}");
    }
}

#[test]
fn jobs_that_are_done_are_forgotten_after_a_while() {
    for place in Place::all() {
        let lake = Lake::new(place);
        lake.write_stats("x.csv", &[("1", 1)]);
        lake.project.feastr(&["entity-index", "backfill"]).ok();
        assert_eq!(lake.jobs().len(), 1);
        lake.project.edit("feature_store.yaml", "buckets: {", "keep_jobs: 1ms, buckets: {");
        let server = lake.serve(&[]);
        crate::servers::redis::await_true("jobs to be forgotten", || lake.jobs().is_empty());
        drop(server);
        assert_eq!(lake.drivers(), ["1 01"]);
    }
}

#[test]
fn many_small_files_are_all_indexed_and_a_damaged_one_holds_none_up() {
    for place in Place::all() {
        let lake = Lake::new(place);
        for number in 0..120 {
            lake.write_stats(&format!("{number:03}.csv"), &[(&number.to_string(), 1)]);
        }
        lake.project.write("lake/stats/060.csv", "driver_id\n1\n");
        let run = lake.project.feastr(&["entity-index", "backfill", "--attempts", "1"]).failed();
        assert!(run.stderr.contains("060.csv"), "{}", run.stderr);
        assert_eq!(lake.drivers().len(), 119);
        lake.write_stats("060.csv", &[("60", 1)]);
        lake.project.feastr(&["entity-index", "backfill"]).ok();
        assert_eq!(lake.drivers().len(), 120);
        lake.project.feastr(&["entity-index", "verify"]).ok();
    }
}

#[test]
fn an_event_that_comes_three_times_is_one() {
    for place in Place::all() {
        let lake = Lake::new(place);
        let server = lake.serve(&[]);
        lake.write_stats("x.csv", &[("1", 1)]);
        let event = created("stats/x.csv", "A");
        assert_eq!(counts(tell(&server, &[event.clone(), event.clone()])), [1, 1, 0]);
        assert_eq!(counts(tell(&server, &[event])), [0, 1, 0]);
        assert_eq!(lake.settled().len(), 1);
        assert_eq!(lake.drivers(), ["1 01"]);
    }
}

#[test]
fn order_and_lateness_do_not_matter() {
    for place in Place::all() {
        let lake = Lake::new(place);
        let server = lake.serve(&[]);
        // The event that it is gone comes before that it was there, and it is there again.
        lake.write_stats("again.csv", &[("1", 1)]);
        tell(&server, &[removed("stats/again.csv", "B"), created("stats/again.csv", "A")]).ok();
        // It was gone before anybody heard that it was there.
        tell(&server, &[removed("stats/gone.csv", "D"), created("stats/gone.csv", "C")]).ok();
        lake.settled();
        assert_eq!(lake.drivers(), ["1 01"]);
        // Late news of what was long ago.
        tell(&server, &[removed("stats/again.csv", "0")]).ok();
        lake.settled();
        assert_eq!(lake.drivers(), ["1 01"]);
    }
}

#[test]
fn each_entity_of_a_view_has_a_table_and_folders_patterns_and_formats_count() {
    for place in Place::all() {
        let lake = Lake::new(place);
        let server = lake.serve(&[]);
        let text = "drv,car_id,event_timestamp,length\n7,red,31.01.2026 12:30,1\n8,blue,01.02.2026 00:00,2\n";
        lake.project.write("lake/trips/day=1/part-1.csv", text);
        lake.project.write("lake/trips/day=1/other.csv", text);
        let told = tell(&server, &[created("trips/day%3D1/part-1.csv", "A"), created("trips/day%3D1/other.csv", "B")]);
        assert_eq!(counts(told), [1, 0, 1]);
        assert_eq!(lake.settled(), [("done".to_owned(), "4 rows".to_owned())]);
        let rows = |entity: &str| {
            lake.query(&format!(
                "SELECT id, event_timestamp FROM entity_lookup.entity_{entity} ORDER BY event_timestamp"
            ))
        };
        assert_eq!(rows("driver"), [["7", "2026-01-31 12:30:00"], ["8", "2026-02-01 00:00:00"]]);
        assert_eq!(rows("car"), [["red", "2026-01-31 12:30:00"], ["blue", "2026-02-01 00:00:00"]]);
    }
}
