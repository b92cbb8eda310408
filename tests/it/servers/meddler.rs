//! What stands between a program and a server of HTTP: it notes requests, and meddles with some.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Act {
    /// It is answered by the server.
    Pass,
    /// It is answered by somebody else: a status line, and a body.
    Answer(&'static str, &'static str),
    /// Of the body of the answer so many bytes arrive; then the connection ends.
    Cut(usize),
    /// It is answered by the server, later.
    Late(Duration),
}

type Meddling = Box<dyn FnMut(&str) -> Act + Send>;

/// Stands before a server.
pub struct Meddler {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    meddling: Arc<Mutex<Meddling>>,
}

impl Meddler {
    /// Before the server at a port of this machine.
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let meddling: Arc<Mutex<Meddling>> = Arc::new(Mutex::new(Box::new(|_: &str| Act::Pass)));
        let (notes, acts) = (Arc::clone(&seen), Arc::clone(&meddling));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (notes, acts) = (Arc::clone(&notes), Arc::clone(&acts));
                // Connections end in many ways here, and all are right.
                thread::spawn(move || relay(client, server, &notes, &acts));
            }
        });
        Self { port, seen, meddling }
    }

    /// Where it is.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Asks this of every request from now on: its first line, and behind a blank the range that it asks for.
    pub fn meddle(&self, meddling: impl FnMut(&str) -> Act + Send + 'static) {
        *self.meddling.lock().unwrap() = Box::new(meddling);
    }

    /// The requests since it was asked last.
    pub fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

fn relay(client: TcpStream, server: u16, seen: &Mutex<Vec<String>>, meddling: &Mutex<Meddling>) -> Option<()> {
    client.set_nodelay(true).ok()?;
    let mut server = BufReader::new(TcpStream::connect(("127.0.0.1", server)).ok()?);
    server.get_ref().set_nodelay(true).ok()?;
    let mut client = BufReader::new(client);
    loop {
        let head = head(&mut client)?;
        let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        client.read_exact(&mut body).ok()?;
        let line = head.lines().next()?.rsplit_once(' ')?.0.to_owned();
        let line = header(&head, "range").map_or_else(|| line.clone(), |range| format!("{line} {range}"));
        seen.lock().unwrap().push(line.clone());
        let act = (meddling.lock().unwrap())(&line);
        if let Act::Answer(status, body) = act {
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            client.get_mut().write_all(answer.as_bytes()).ok()?;
            continue;
        }
        if let Act::Late(time) = act {
            thread::sleep(time);
        }
        server.get_mut().write_all(&[head.as_bytes(), &body].concat()).ok()?;
        let mut answer = self::head(&mut server)?;
        while answer.starts_with("HTTP/1.1 100") {
            answer = self::head(&mut server)?;
        }
        let body = match line.starts_with("HEAD ") {
            true => Vec::new(),
            false => body_of(&answer, &mut server)?,
        };
        client.get_mut().write_all(answer.as_bytes()).ok()?;
        if let Act::Cut(length) = act {
            client.get_mut().write_all(&body[..length.min(body.len())]).ok()?;
            client.get_mut().shutdown(Shutdown::Both).ok()?;
            return None;
        }
        client.get_mut().write_all(&body).ok()?;
    }
}

/// The head of a request or an answer, with the blank line.
fn head(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    Some(head)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// A body as it is on the wire.
fn body_of(head: &str, server: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    if header(head, "transfer-encoding").is_some() {
        loop {
            let mut line = String::new();
            server.read_line(&mut line).ok()?;
            let size = usize::from_str_radix(line.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            server.read_exact(&mut chunk).ok()?;
            body.extend_from_slice(line.as_bytes());
            body.extend_from_slice(&chunk);
            if size == 0 {
                return Some(body);
            }
        }
    }
    let length = header(head, "content-length").map_or(0, |length| length.parse().unwrap());
    body.resize(length, 0);
    server.read_exact(&mut body).ok()?;
    Some(body)
}
