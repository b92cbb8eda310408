//! A stand-in for S3 with very many keys, behind each of which is the same object: no real store is filled so quickly.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Keys of a page, as in S3.
pub const PAGE: usize = 1_000;

/// A store with one bucket; it lives as long as the process.
pub struct ManyKeys {
    port: u16,
    listings: Arc<AtomicUsize>,
    others: Arc<AtomicUsize>,
}

struct Objects {
    keys: Vec<String>,
    bytes: Vec<u8>,
}

impl ManyKeys {
    /// With these keys, which are sorted.
    pub fn with(keys: Vec<String>, bytes: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (listings, others) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let objects = Arc::new(Objects { keys, bytes });
        let counters = (Arc::clone(&listings), Arc::clone(&others));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (objects, counters) = (Arc::clone(&objects), counters.clone());
                thread::spawn(move || answer(client, &objects, (&counters.0, &counters.1)));
            }
        });
        Self { port, listings, others }
    }

    /// The environment that leads programs to it.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let endpoint = format!("http://127.0.0.1:{}", self.port);
        vec![
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_SKIP_SIGNATURE", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]
    }

    /// How many pages were asked for since it was asked last, and how many other things.
    pub fn asked(&self) -> (usize, usize) {
        (self.listings.swap(0, Ordering::Relaxed), self.others.swap(0, Ordering::Relaxed))
    }
}

fn answer(client: TcpStream, objects: &Objects, (listings, others): (&AtomicUsize, &AtomicUsize)) -> Option<()> {
    client.set_nodelay(true).ok()?;
    let mut client = BufReader::new(client);
    loop {
        let (mut line, mut range, mut header) = (String::new(), None, String::new());
        (client.read_line(&mut line).ok()? > 0).then_some(())?;
        while client.read_line(&mut header).ok()? > 2 {
            let lower = header.to_ascii_lowercase();
            range = range.or_else(|| lower.trim().strip_prefix("range: bytes=").map(str::to_owned));
            header.clear();
        }
        if line.contains("list-type=2") {
            listings.fetch_add(1, Ordering::Relaxed);
            let from = line
                .split("continuation-token=")
                .nth(1)
                .map_or(0, |token| token.split(['&', ' ']).next().unwrap().parse().unwrap());
            let page = objects.page(from);
            write!(client.get_mut(), "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{page}", page.len()).ok()?;
            continue;
        }
        others.fetch_add(1, Ordering::Relaxed);
        let bytes = &objects.bytes;
        let (first, last) = range.as_deref().and_then(|range| range.split_once('-')).unwrap_or(("0", ""));
        let (first, last) = (first.parse::<usize>().unwrap(), last.parse::<usize>().unwrap_or(bytes.len() - 1));
        let part = &bytes[first..=last.min(bytes.len() - 1)];
        let head = format!(
            "HTTP/1.1 206 Partial Content\r\ncontent-length: {}\r\ncontent-range: bytes {first}-{last}/{}\r\netag: \
             \"1\"\r\nlast-modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n",
            part.len(),
            bytes.len()
        );
        client.get_mut().write_all(&[head.as_bytes(), part].concat()).ok()?;
    }
}

impl Objects {
    fn page(&self, from: usize) -> String {
        let to = (from + PAGE).min(self.keys.len());
        let mut page =
            format!("<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>{}</IsTruncated>", to < self.keys.len());
        if to < self.keys.len() {
            page.push_str(&format!("<NextContinuationToken>{to}</NextContinuationToken>"));
        }
        for key in &self.keys[from..to] {
            page.push_str(&format!(
                "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"1\"</ETag><Size>{}\
                 </Size></Contents>",
                self.bytes.len()
            ));
        }
        page.push_str("</ListBucketResult>");
        page
    }
}
