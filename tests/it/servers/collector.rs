//! A collector of OpenTelemetry that keeps what it is sent by OTLP over HTTP.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use prost::Message;

/// Takes messages in threads that end with the program.
pub struct Collector {
    pub address: SocketAddr,
    sent: Arc<Mutex<Vec<Sent>>>,
}

/// What was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub path: String,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Collector {
    /// Starts it on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, sent) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<Sent>>>::default());
        let kept = Arc::clone(&sent);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                thread::spawn(move || while take(&stream, &kept).is_some() {});
            }
        });
        Self { address, sent }
    }

    /// Where it is, for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was sent to a path, as messages, as soon as they satisfy somebody.
    pub fn messages<M: Message + Default>(&self, path: &str, enough: impl Fn(&[M]) -> bool) -> Vec<M> {
        loop {
            let sent = self.sent.lock().unwrap().clone();
            let messages = sent.iter().filter(|sent| sent.path == path);
            let messages: Vec<M> = messages.map(|sent| M::decode(sent.body.as_slice()).unwrap()).collect();
            if enough(&messages) {
                return messages;
            }
            thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// The headers of what was sent first.
    pub fn headers(&self) -> Vec<(String, String)> {
        self.sent.lock().unwrap()[0].headers.clone()
    }
}

fn take(stream: &TcpStream, kept: &Mutex<Vec<Sent>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    kept.lock().unwrap().push(Sent { path, headers, body });
    let mut stream = stream;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()
}
