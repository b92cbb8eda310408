//! As much of a browser as it takes to agree to a login: pages, forms, cookies.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
};

/// A browser of somebody.
#[derive(Default)]
pub struct Browser {
    cookies: BTreeMap<String, String>,
    /// The URL of the page that is shown.
    place: String,
}

struct Answer {
    location: Option<String>,
    body: String,
}

impl Browser {
    /// Agrees to a login with another device as a user, whose password is the name.
    pub fn agree(&mut self, page: &str, user: &str) {
        let login = self.open(page);
        let consent = self.submit(&login, &[("username", user), ("password", user)]);
        let end = self.submit(&consent, &[("accept", "Yes")]);
        assert!(end.contains("Device Login Successful"), "{end}");
    }

    /// The page at an URL, wherever it leads.
    fn open(&mut self, url: &str) -> String {
        let answer = self.ask("GET", url, "");
        self.follow(url, answer)
    }

    /// The page that comes after the form of a page.
    fn submit(&mut self, page: &str, fields: &[(&str, &str)]) -> String {
        let form = &page[page.find("<form").unwrap_or_else(|| panic!("no form in {page}"))..];
        let action = attribute(form, "action").unwrap().replace("&amp;", "&");
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        for input in form.split("<input").skip(1).filter(|input| attribute(input, "type").as_deref() == Some("hidden"))
        {
            body.append_pair(&attribute(input, "name").unwrap(), &attribute(input, "value").unwrap_or_default());
        }
        fields.iter().for_each(|(name, value)| _ = body.append_pair(name, value));
        let action = url::Url::parse(&self.place).unwrap().join(&action).unwrap();
        let answer = self.ask("POST", action.as_str(), &body.finish());
        self.follow(action.as_str(), answer)
    }

    fn follow(&mut self, url: &str, mut answer: Answer) -> String {
        let mut url = url::Url::parse(url).unwrap();
        while let Some(location) = answer.location {
            url = url.join(&location).unwrap();
            answer = self.ask("GET", url.as_str(), "");
        }
        url.as_str().clone_into(&mut self.place);
        answer.body
    }

    fn ask(&mut self, method: &str, url: &str, body: &str) -> Answer {
        let url = url::Url::parse(url).unwrap();
        let authority = url.authority();
        let mut stream = TcpStream::connect(authority).unwrap();
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let place = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let head = format!(
            "{method} {place} HTTP/1.0\r\nHost: {authority}\r\nCookie: {}\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            cookies.join("; "),
            body.len()
        );
        stream.write_all((head + body).as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
        let mut location = None;
        for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
            match name.to_ascii_lowercase().as_str() {
                "location" => location = Some(value.to_owned()),
                "set-cookie" => {
                    let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
                    self.cookies.insert(name.to_owned(), value.to_owned());
                }
                _ => {}
            }
        }
        Answer { location, body: body.to_owned() }
    }
}

/// An attribute of the tag that a text begins in.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = &tag[..tag.find('>')?];
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    Some(rest.split('"').next()?.to_owned())
}
