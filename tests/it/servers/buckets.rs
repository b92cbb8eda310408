//! Object stores as processes: SeaweedFS and versitygw for S3, a server in place of Google Cloud Storage, and Azurite.

use std::{
    ffi::OsString,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use feastr::{
    clients::{
        buckets::{Bucket, Buckets, Expected},
        runtime::wait,
    },
    config::{BucketSettings, BucketUrl},
};

use super::{create_folder, free_port, has_ended, http_client, launch_guarded};

/// Who may do everything in S3, and the secret.
pub const KEY: &str = "testkey";
pub const SECRET: &str = "testsecret";
/// Who may read the bucket `features` of SeaweedFS.
pub const READER: &str = "readkey";
pub const READER_SECRET: &str = "readsecret";

const LONGEST_START: Duration = Duration::from_secs(120);

/// So often is one started whose process ends at once.
const STARTS: usize = 3;

/// Account and key of Azurite, which are the same everywhere.
pub const AZURE_ACCOUNT: &str = "devstoreaccount1";
pub const AZURE_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// S3 that checks signatures and knows users.
    SeaweedFs,
    /// S3 whose buckets are folders.
    VersityGw,
    Gcs,
    Azure,
}

/// A running object store.
pub struct ObjectStore {
    store: Store,
    port: u16,
    /// Of SeaweedFS, where folders are made.
    filer_port: u16,
    folder: PathBuf,
    watchdog: Child,
    next_bucket: AtomicU32,
}

/// The object store of a kind that all tests share.
pub fn shared(store: Store) -> &'static ObjectStore {
    static STORES: [OnceLock<ObjectStore>; 4] = [const { OnceLock::new() }; 4];
    STORES[store as usize].get_or_init(|| ObjectStore::start(store, &[]))
}

impl ObjectStore {
    /// Starts one; versitygw also takes options, such as where to tell of changes, and SeaweedFS a URL to tell of them and
    /// a token for it.
    pub fn start(store: Store, options: &[&str]) -> Self {
        // Whoever else takes one of its ports meanwhile does not take one of the next ones, too.
        let mut ended = Vec::new();
        while ended.len() < STARTS {
            match Self::try_start(store, options) {
                Ok(server) => return server,
                Err(log) => ended.push(log),
            }
        }
        panic!("{store:?} ended each time:\n{}", ended.join("\n"))
    }

    /// Starts one, or gives its last words.
    fn try_start(store: Store, options: &[&str]) -> Result<Self, String> {
        let (folder, port, filer_port) = (create_folder(), free_port(), free_port());
        let watchdog = launch_guarded(&command(store, (port, filer_port), &folder, options), "KILL", &folder);
        let server = Self { store, port, filer_port, folder, watchdog, next_bucket: AtomicU32::new(0) };
        let (began, log) = (Instant::now(), || std::fs::read_to_string(server.folder.join("log")).unwrap_or_default());
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if has_ended(&server.folder) {
                return Err(log());
            }
            assert!(began.elapsed() < LONGEST_START, "{store:?} does not start:\n{}", log());
            sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// Where it is, as one says it to clients.
    pub fn endpoint(&self) -> String {
        match self.store {
            Store::Azure => format!("http://127.0.0.1:{}/{AZURE_ACCOUNT}", self.port),
            _ => format!("http://127.0.0.1:{}", self.port),
        }
    }

    /// The port that requests go to.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The environment that leads programs to it, as somebody who may do everything.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.environment_at(&self.endpoint())
    }

    /// The same where it is reached through something else.
    pub fn environment_at(&self, endpoint: &str) -> Vec<(&'static str, String)> {
        let endpoint = endpoint.to_owned();
        match self.store {
            Store::SeaweedFs | Store::VersityGw => vec![
                ("AWS_ENDPOINT_URL", endpoint.clone()),
                ("FEAST_S3_ENDPOINT_URL", endpoint),
                ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
                ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
                ("AWS_REGION", "us-east-1".to_owned()),
                ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ],
            Store::Gcs => vec![("STORAGE_EMULATOR_HOST", endpoint)],
            Store::Azure => vec![
                ("AZURE_STORAGE_ENDPOINT", endpoint),
                ("AZURE_STORAGE_ACCOUNT_NAME", AZURE_ACCOUNT.to_owned()),
                ("AZURE_STORAGE_ACCOUNT_KEY", AZURE_KEY.to_owned()),
            ],
        }
    }

    /// A bucket in it, for somebody who may do everything.
    pub fn open(&self, url: &str) -> Bucket {
        let environment = self.environment();
        let look_up = |name: &str| Some(environment.iter().find(|(key, _)| *key == name)?.1.clone());
        let url = BucketUrl::parse(url).unwrap().unwrap();
        Buckets::new(BucketSettings::of(&look_up)).open(&url, None).unwrap()
    }

    /// A bucket that nobody else uses, as an URL without a slash at its end.
    pub fn create_bucket(&self) -> String {
        let number = self.next_bucket.fetch_add(1, Ordering::Relaxed);
        self.create_named_bucket(&format!("test-{number}"))
    }

    /// A bucket with a name, as an URL without a slash at its end.
    pub fn create_named_bucket(&self, name: &str) -> String {
        match self.store {
            Store::SeaweedFs => {
                let url = format!("http://127.0.0.1:{}/buckets/{name}/", self.filer_port);
                let (bucket, began) = (self.open(&format!("s3://{name}")), Instant::now());
                // Another test may have made it; files can be in it a moment later.
                loop {
                    did(&url, "");
                    if wait(bucket.put("ready", "".into(), Expected::Anything)).is_ok() {
                        break;
                    }
                    assert!(began.elapsed() < LONGEST_START, "SeaweedFS makes no bucket, or takes no files");
                    sleep(Duration::from_millis(100));
                }
                wait(bucket.delete("ready")).unwrap();
            }
            Store::VersityGw => std::fs::create_dir_all(self.folder.join("data").join(name)).unwrap(),
            Store::Gcs => {
                let url = format!("{}/storage/v1/b?project=tests", self.endpoint());
                assert!(did(&url, &format!("{{\"name\": \"{name}\"}}")));
            }
            Store::Azure => self.create_container(name),
        }
        let scheme = match self.store {
            Store::SeaweedFs | Store::VersityGw => "s3",
            Store::Gcs => "gs",
            Store::Azure => "az",
        };
        format!("{scheme}://{name}")
    }

    /// Azure takes no request that is not signed.
    fn create_container(&self, name: &str) {
        const CREATE: &str = r#"
import base64, datetime, hashlib, hmac, sys, urllib.request
endpoint, account, key, name = sys.argv[1:]
date = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
headers = {"x-ms-date": date, "x-ms-version": "2023-11-03"}
signed = "PUT" + "\n" * 12 + "".join(f"{header}:{value}\n" for header, value in headers.items())
signed += f"/{account}/{account}/{name}\nrestype:container"
signature = hmac.new(base64.b64decode(key), signed.encode(), hashlib.sha256).digest()
headers["Authorization"] = f"SharedKey {account}:{base64.b64encode(signature).decode()}"
request = urllib.request.Request(f"{endpoint}/{name}?restype=container", method="PUT", headers=headers)
urllib.request.urlopen(request).read()
"#;
        let endpoint = self.endpoint();
        super::run(Command::new("python3").args(["-c", CREATE, &endpoint, AZURE_ACCOUNT, AZURE_KEY, name]));
    }
}

impl Drop for ObjectStore {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        self.watchdog.wait().unwrap();
    }
}

/// Whether a server did what a body of JSON asks it for; without one it is asked for no more than the URL says.
fn did(url: &str, body: &str) -> bool {
    let client = http_client();
    let deadline = Instant::now() + Duration::from_secs(30);
    let content_type = if body.is_empty() { "" } else { "application/json" };
    let request = client.post(url, content_type, body.as_bytes().to_vec());
    wait(client.send(request, Some(deadline))).is_ok_and(|answer| answer.status.is_success())
}

fn command(store: Store, (port, filer_port): (u16, u16), folder: &Path, options: &[&str]) -> Command {
    let installed = |variable: &str| {
        std::env::var_os(variable)
            .unwrap_or_else(|| panic!("{variable} names no program: run scripts/test.sh, which installs it"))
    };
    match store {
        Store::SeaweedFs => {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let mut command = Command::new("env");
            let mut named = OsString::from("FEASTR_WEED=");
            named.push(installed("FEASTR_WEED"));
            command.arg(named).args(["bash", "-ec"]);
            command.arg("source \"$0/scripts/environment.sh\"; source \"$0/scripts/buckets.sh\"; run_seaweedfs \"$@\"");
            command.arg(root).args([port.to_string(), filer_port.to_string()]).arg(folder).args(options);
            command
        }
        Store::VersityGw => {
            let data = folder.join("data");
            std::fs::create_dir(&data).unwrap();
            let mut command = Command::new(installed("FEASTR_VERSITYGW"));
            command.args(["--port", &format!("127.0.0.1:{port}"), "--access", KEY, "--secret", SECRET]);
            command.args(["--region", "us-east-1", "--quiet"]).args(options).arg("posix").arg(data);
            command
        }
        Store::Gcs => {
            let mut command = Command::new(installed("FEASTR_GCS"));
            command.arg(format!("127.0.0.1:{port}"));
            command
        }
        Store::Azure => {
            let mut command = Command::new(installed("FEASTR_AZURITE"));
            command.args(["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"]);
            command.args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
            command
        }
    }
}
