//! The real API server and its etcd, as `scripts/kube_apiserver.sh` runs them; each has a folder of its own.

use std::{
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread::sleep,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value as Json, json};

use super::{
    super::{KEEP, create_folder, free_port, http_client, launch_guarded, run},
    ACCOUNT, ADMIN, NAMESPACE, PEOPLE, Recorded, Runs,
    client::Client,
    ended_claims, opaque_token,
};

/// The variable that names its program.
pub const PROGRAM: &str = "FEASTR_KUBE_APISERVER";

/// Starts take ten seconds of a processor, and others may need it, too.
const LONGEST_START: Duration = Duration::from_secs(180);

/// The servers.
pub struct Real {
    port: u16,
    etcd_port: u16,
    folder: PathBuf,
    watchdog: Option<Child>,
    etcd: Child,
}

impl Real {
    /// Starts them.
    pub fn start() -> (Self, SocketAddr) {
        let (folder, etcd_folder) = (create_folder(), create_folder());
        run(&mut script("make_cluster \"$@\"", &[folder.as_os_str().to_owned()]));
        let mut people = std::fs::read_to_string(folder.join("people.csv")).unwrap();
        for (number, (name, groups)) in PEOPLE.into_iter().enumerate() {
            people += &format!("{},{name},{},\"{}\"\n", opaque_token(name, groups), number + 2, groups.join(","));
        }
        std::fs::write(folder.join("people.csv"), people).unwrap();
        let (port, etcd_port) = (free_port(), free_port());
        let etcd = script("run_etcd \"$@\"", &[etcd_port.to_string().into(), etcd_folder.as_os_str().to_owned()]);
        let etcd = launch_guarded(&etcd, "KILL", &etcd_folder);
        let mut server = Self { port, etcd_port, folder, watchdog: None, etcd };
        server.launch();
        (server, SocketAddr::from(([127, 0, 0, 1], port)))
    }

    fn launch(&mut self) {
        let (port, etcd_port) = (self.port.to_string(), self.etcd_port.to_string());
        let program =
            script("run_kube_apiserver \"$@\"", &[port.into(), etcd_port.into(), self.folder.as_os_str().to_owned()]);
        self.watchdog = Some(launch_guarded(&program, "KILL", &self.folder));
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let (client, began) = (Client::new(address, &self.folder.join("ca.crt")), Instant::now());
        while client.ask(ADMIN, "GET", "/readyz", None).status != 200 {
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(began.elapsed() < LONGEST_START, "the API server does not start:\n{}", log());
            sleep(Duration::from_millis(100));
        }
    }

    /// Has etcd forget all that was before now.
    fn compact(&self) {
        let client = http_client();
        let ask = |path: &str, body: Json| {
            let request =
                client.post_json(&format!("http://127.0.0.1:{}{path}", self.etcd_port), body.to_string().into());
            let answer = feastr::clients::runtime::wait(client.send(request, None)).unwrap();
            assert!(answer.status.is_success(), "{}", String::from_utf8_lossy(&answer.body));
            serde_json::from_slice::<Json>(&answer.body).unwrap()
        };
        let known = ask("/v3/kv/range", json!({ "key": "AA==" }));
        ask("/v3/kv/compaction", json!({ "revision": known["header"]["revision"], "physical": true }));
    }
}

/// Runs functions of the scripts.
fn script(functions: &str, arguments: &[OsString]) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = OsString::from(format!("{PROGRAM}="));
    named.push(std::env::var_os(PROGRAM).expect("it is set where the real server is wanted"));
    let mut command = Command::new("env");
    command.arg(named).args(["bash", "-ec"]);
    command.arg(format!("source \"$0/scripts/environment.sh\"; source \"$0/scripts/kube_apiserver.sh\"; {functions}"));
    command.arg(root).args(arguments);
    command
}

impl Runs for Real {
    fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    fn stop(&mut self) {
        std::fs::write(self.folder.join(KEEP), "").unwrap();
        let mut watchdog = self.watchdog.take().expect("it runs");
        drop(watchdog.stdin.take());
        watchdog.wait().unwrap();
    }

    fn restart(&mut self) {
        std::fs::remove_file(self.folder.join(KEEP)).unwrap();
        self.launch();
    }

    fn forget(&mut self) {
        self.stop();
        self.compact();
        self.restart();
    }

    fn cut_watches(&mut self) {
        self.stop();
        self.restart();
    }

    fn asked(&self, what: &str) -> usize {
        let own = format!("system:serviceaccount:{NAMESPACE}:{ACCOUNT}");
        let log = std::fs::read_to_string(self.folder.join("audit.log")).unwrap();
        let requests = log.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
        let own =
            requests.filter(|request| request["stage"] == "RequestReceived" && request["user"]["username"] == own);
        let asked = own.filter(|request| {
            let (verb, resource) = (request["verb"].as_str(), request["objectRef"]["resource"].as_str());
            let (verb, resource) = (verb.unwrap_or_default(), resource.unwrap_or_default());
            if verb == "create" { resource == what } else { format!("{verb} {resource}") == what }
        });
        asked.count()
    }

    fn ended_token(&self, account: (&str, &str), uid: &str, audience: &str) -> String {
        let part = |json: Json| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(json!({ "alg": "RS256" })), part(ended_claims(account, uid, audience)));
        std::fs::write(self.folder.join("signed"), &signed).unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args(["dgst", "-sha256", "-sign", "accounts.key", "-out", "signature", "signed"]);
        run(openssl.current_dir(&self.folder));
        let signature = std::fs::read(self.folder.join("signature")).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn replay(&self, _: Recorded) {
        panic!("the real server answers as it does");
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.folder.join(KEEP));
        if let Some(mut watchdog) = self.watchdog.take() {
            drop(watchdog.stdin.take());
            let _ = watchdog.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
        drop(self.etcd.stdin.take());
        let _ = self.etcd.wait();
    }
}
