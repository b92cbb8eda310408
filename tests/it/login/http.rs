//! A server of HTTP that answers as a test says.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value as Json;

/// What somebody asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub path: String,
    pub authorization: Option<String>,
    pub body: String,
}

impl Asked {
    /// A field of a form.
    pub fn field(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.body.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// A server, which answers in threads that end with the program.
pub struct Http {
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Http {
    /// Starts it on a free port; `answer` knows its URL, and gives a status and JSON.
    pub fn start(answer: impl Fn(&Asked, &str) -> (u16, Json) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), asked: Arc::default() };
        let (asked, answer, url) = (Arc::clone(&server.asked), Arc::new(answer), server.url(""));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (asked, answer, url) = (Arc::clone(&asked), Arc::clone(&answer), url.clone());
                thread::spawn(move || while serve(&stream, &asked, &|asked| answer(asked, &url)).is_some() {});
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// All that was asked at a path.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| asked.path == path).cloned().collect()
    }
}

fn serve(stream: &TcpStream, heard: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked) -> (u16, Json)) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut authorization) = (0, None);
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok()?,
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => authorization = Some(value.to_owned()),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let asked = Asked { path, authorization, body: String::from_utf8(body).unwrap() };
    heard.lock().unwrap().push(asked.clone());
    let (status, json) = answer(&asked);
    let body = json.to_string();
    let head =
        format!("HTTP/1.1 {status} So\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    let mut stream = stream;
    stream.write_all((head + &body).as_bytes()).ok()
}
