//! What the client of object stores does, on each of them.

use feastr::{
    clients::{
        buckets::{Bucket, Buckets, Expected, Object, PartsAtOnce, Put},
        runtime::wait,
    },
    config::{BucketSettings, BucketUrl},
    problem::{Kind, Problem},
};
use futures_util::TryStreamExt as _;

use crate::servers::buckets::{READER, READER_SECRET, Store, shared};

const STORES: [Store; 4] = [Store::SeaweedFs, Store::VersityGw, Store::Gcs, Store::Azure];

fn settings(environment: &[(&'static str, String)]) -> BucketSettings {
    BucketSettings::of(&|name| {
        let found = environment.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.clone())
    })
}

fn open(url: &str, environment: &[(&'static str, String)]) -> Bucket {
    let url = BucketUrl::parse(url).unwrap().unwrap();
    Buckets::new(settings(environment)).open(&url, None).unwrap()
}

fn new_bucket(store: Store) -> Bucket {
    let server = shared(store);
    server.open(&server.create_bucket())
}

fn put(bucket: &Bucket, key: &str, text: &str, expected: Expected) -> Put {
    wait(bucket.put(key, text.to_owned().into(), expected)).unwrap()
}

fn text(bucket: &Bucket, key: &str) -> Option<String> {
    wait(bucket.get(key)).unwrap().map(|(bytes, _)| String::from_utf8(bytes.to_vec()).unwrap())
}

fn listed(bucket: &Bucket, folder: &str) -> Vec<Object> {
    wait(bucket.list(folder).try_collect::<Vec<_>>()).unwrap()
}

#[test]
fn writes_happen_if_what_is_expected_is_there() {
    for store in STORES {
        let bucket = new_bucket(store);
        let Put::Done(first) = put(&bucket, "a/x", "one", Expected::Nothing) else { panic!("{store:?}") };
        assert!(first.is_known());
        assert_eq!(put(&bucket, "a/x", "two", Expected::Nothing), Put::Outrun, "{store:?}");
        let Put::Done(second) = put(&bucket, "a/x", "three", Expected::This(first.clone())) else {
            panic!("{store:?}")
        };
        assert_ne!(first.text(), second.text(), "{store:?}");
        assert_eq!(put(&bucket, "a/x", "four", Expected::This(first)), Put::Outrun, "{store:?}");
        assert_eq!(text(&bucket, "a/x").as_deref(), Some("three"), "{store:?}");
        let (_, seen) = wait(bucket.get("a/x")).unwrap().unwrap();
        assert_eq!(seen.text(), second.text(), "{store:?}");
        assert_eq!(wait(bucket.head("a/x")).unwrap().unwrap().version.text(), second.text(), "{store:?}");
        wait(bucket.delete("a/x")).unwrap();
        wait(bucket.delete("a/x")).unwrap();
        assert_eq!(put(&bucket, "a/x", "five", Expected::This(second)), Put::Outrun, "{store:?}");
        assert_eq!((text(&bucket, "a/x"), wait(bucket.head("a/x")).unwrap()), (None, None), "{store:?}");
        assert!(matches!(put(&bucket, "a/x", "six", Expected::Anything), Put::Done(_)), "{store:?}");
    }
}

#[test]
fn parts_of_one_state_are_read() {
    for store in STORES {
        let bucket = new_bucket(store);
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
        let mut upload = bucket.upload("large", &PartsAtOnce::new(2)).unwrap();
        for piece in bytes.chunks(700_000) {
            wait(upload.write(piece)).unwrap();
        }
        assert_eq!(wait(bucket.head("large")).unwrap(), None, "{store:?}");
        wait(upload.finish()).unwrap();
        let object = wait(bucket.head("large")).unwrap().unwrap();
        assert_eq!(object.bytes, 3_000_000);
        let ranges = [2_900_000..3_000_000, 0..4, 10..20, 1_000_000..1_000_001];
        let parts = wait(bucket.ranges(&object, &ranges)).unwrap();
        for (range, part) in ranges.iter().zip(&parts) {
            assert_eq!(part, &bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]);
        }
        let streamed = async { bucket.stream(&object).await?.try_collect::<Vec<_>>().await };
        assert_eq!(wait(streamed).unwrap().concat(), bytes, "{store:?}");

        put(&bucket, "large", "another", Expected::Anything);
        let beginning = 0..4;
        let replaced = wait(bucket.ranges(&object, &[beginning])).unwrap_err();
        assert!(replaced.message.ends_with("large: it was replaced while it was being used"), "{store:?} {replaced}");

        let mut aborted = bucket.upload("aborted", &PartsAtOnce::new(1)).unwrap();
        wait(aborted.begin()).unwrap();
        wait(aborted.write(b"one")).unwrap();
        wait(aborted.abort()).unwrap();
        assert_eq!(wait(bucket.head("aborted")).unwrap(), None, "{store:?}");
    }
}

#[test]
fn odd_keys_are_listed_and_read() {
    const KEYS: [&str; 6] =
        ["in/day=2026-01-01/a b.parquet", "in/100%.csv", "in/a+b", "in/a%20b", "in/größe ✓/x", "in/~'(x)!*"];
    for store in STORES {
        let bucket = new_bucket(store);
        for key in KEYS {
            put(&bucket, key, key, Expected::Nothing);
        }
        put(&bucket, "inside", "", Expected::Nothing);
        let mut keys: Vec<String> = listed(&bucket, "in/").into_iter().map(|object| object.key).collect();
        keys.sort();
        let mut expected = KEYS.map(str::to_owned);
        expected.sort();
        assert_eq!(keys, expected, "{store:?}");
        for key in KEYS {
            assert_eq!(text(&bucket, key).as_deref(), Some(key), "{store:?}");
        }
        let folder = wait(bucket.list_folder("in")).unwrap();
        assert_eq!(folder.folders, ["in/day=2026-01-01", "in/größe ✓"], "{store:?}");
        assert_eq!(folder.objects.len(), 4, "{store:?}");
        assert!(listed(&bucket, "nothing").is_empty());
    }
}

#[test]
fn what_is_wrong_is_said() {
    let server = shared(Store::SeaweedFs);
    let (mine, features) = (server.create_bucket(), server.create_named_bucket("features"));
    let with = |changes: &[(&'static str, &str)]| {
        let mut environment = server.environment();
        environment.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        environment.extend(changes.iter().map(|(name, value)| (*name, (*value).to_owned())));
        environment
    };
    let read = |bucket: &Bucket| wait(bucket.get("x")).unwrap_err();
    let shown = |problem: &Problem| {
        let advice = problem.advice.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{}\n{advice}", problem.message)
    };

    let gone = read(&open("s3://not-there", &server.environment()));
    assert_eq!(gone.kind, Kind::NotFound);
    let there = server.endpoint();
    assert_eq!(
        shown(&gone),
        format!(
            "cannot read s3://not-there/x: there is no bucket `not-there` at {there}\ncreate it, or correct its name"
        )
    );

    let wrong = read(&open(&mine, &with(&[("AWS_SECRET_ACCESS_KEY", "wrong-secret")])));
    assert!(shown(&wrong).contains("(SignatureDoesNotMatch)\ncorrect AWS_SECRET_ACCESS_KEY"), "{}", shown(&wrong));
    assert!(!shown(&wrong).contains("wrong-secret"));
    let wrong = open(&mine, &with(&[("AWS_SECRET_ACCESS_KEY", "wrong-secret")]));
    let listing = wait(wrong.list("in").try_collect::<Vec<_>>()).unwrap_err();
    assert!(shown(&listing).contains("(SignatureDoesNotMatch)\ncorrect AWS_SECRET_ACCESS_KEY"), "{}", shown(&listing));
    let unknown = read(&open(&mine, &with(&[("AWS_ACCESS_KEY_ID", "nobody")])));
    assert!(shown(&unknown).contains("(InvalidAccessKeyId)\ncorrect AWS_ACCESS_KEY_ID"), "{}", shown(&unknown));

    let reader = with(&[("AWS_ACCESS_KEY_ID", READER), ("AWS_SECRET_ACCESS_KEY", READER_SECRET)]);
    let features = open(&features, &reader);
    assert_eq!(text(&features, "x"), None);
    let denied = wait(features.put("x", "".into(), Expected::Anything)).unwrap_err();
    assert!(shown(&denied).starts_with("cannot write s3://features/x: Access Denied"), "{}", shown(&denied));
    assert!(shown(&denied).contains("of somebody who may"));

    let nowhere = read(&open(&mine, &with(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:9")])));
    assert!(shown(&nowhere).contains(" at http://127.0.0.1:9\ncheck the address"), "{}", shown(&nowhere));

    let nobody = [("AWS_ENDPOINT_URL", there), ("AWS_EC2_METADATA_DISABLED", "true".to_owned())];
    let url = BucketUrl::parse(&mine).unwrap().unwrap();
    let problem = Buckets::new(settings(&nobody)).open(&url, None).unwrap_err();
    assert_eq!(problem.message, format!("nothing says who we are for {mine}"));
}

#[test]
fn keys_of_profiles_are_used_and_read_again() {
    let server = shared(Store::SeaweedFs);
    let (folder, bucket) = (tempfile::tempdir().unwrap(), server.create_bucket());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let keys = |secret: &str| {
        let text = format!("[default]\n[team]\naws_access_key_id = testkey\naws_secret_access_key={secret}\n");
        std::fs::write(folder.path().join("credentials"), text).unwrap();
    };
    keys("testsecret");
    let config = format!("[profile team]\nregion = us-east-1\nendpoint_url = {}\n", server.endpoint());
    std::fs::write(folder.path().join("config"), config).unwrap();
    let environment = [
        ("AWS_PROFILE", "team".to_owned()),
        ("AWS_SHARED_CREDENTIALS_FILE", path("credentials")),
        ("AWS_CONFIG_FILE", path("config")),
    ];
    let bucket = open(&bucket, &environment);
    put(&bucket, "x", "there", Expected::Nothing);
    std::thread::sleep(std::time::Duration::from_millis(20));
    keys("another");
    assert!(wait(bucket.get("x")).is_err());
    std::thread::sleep(std::time::Duration::from_millis(20));
    keys("testsecret");
    assert_eq!(text(&bucket, "x").as_deref(), Some("there"));

    let unknown = [("AWS_PROFILE", "others".to_owned()), ("AWS_SHARED_CREDENTIALS_FILE", path("credentials"))];
    let url = BucketUrl::parse("s3://b").unwrap().unwrap();
    let problem = Buckets::new(settings(&unknown)).open(&url, None).unwrap_err();
    assert_eq!(problem.message, "there are no keys for the profile `others`, which AWS_PROFILE names");
}
