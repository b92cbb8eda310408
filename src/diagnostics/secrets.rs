//! What may be shown of texts in which passwords stand.

use std::ops::Range;

/// Settings whose values are not secrets as long as they are plain; so are paths.
const HARMLESS_KEYS: [&str; 22] = [
    "connection_idle_timeout",
    "connection_pool_size",
    "connection_retries",
    "database",
    "db_schema",
    "entity_key_serialization_version",
    "host",
    "keepalives_idle",
    "key_ttl_seconds",
    "name",
    "offline_store",
    "online_store",
    "port",
    "project",
    "provider",
    "redis_type",
    "registry",
    "registry_type",
    "schema_mode",
    "sslmode",
    "type",
    "user",
];

/// How keys of secrets end, wherever they stand.
const SECRET_KEYS: [&str; 4] = ["password", "passwd", "secret", "token"];

/// The text with `***` for whatever may be a password in front of an `@`, in each line.
pub fn without_logins(text: &str) -> String {
    let line = |line: &str| match login(line) {
        Some(login) => format!("{}***{}", &line[..login.start], &line[login.end..]),
        None => line.to_owned(),
    };
    text.split_inclusive('\n').map(line).collect()
}

/// What stands between the first colon that is not one of YAML or of `://` and the last `@`.
fn login(line: &str) -> Option<Range<usize>> {
    let at = line.rfind('@')?;
    let colon = line[..at].match_indices(':').map(|(colon, _)| colon + 1).find(|behind| {
        let rest = &line[*behind..];
        !rest.starts_with("//") && !rest.starts_with(char::is_whitespace)
    })?;
    Some(colon..at)
}

/// The text of definitions with stars for what may be a password, byte for byte.
pub(super) fn definitions(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let named =
            key(line).filter(|(key, _)| SECRET_KEYS.iter().any(|word| key.to_ascii_lowercase().ends_with(word)));
        let behind = named.map(|(_, length)| length..line.trim_end().len().max(length));
        let secret = behind.or_else(|| login(line)).unwrap_or(0..0);
        shown.push_str(&line[..secret.start]);
        hide(&mut shown, &line[secret.clone()]);
        shown.push_str(&line[secret.end..]);
    }
    shown
}

/// The text of settings with stars for all that is not known to be harmless, byte for byte: keys are
/// shown, and plain values of keys that have no secrets. It need not be YAML.
pub(super) fn settings(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.split_at(line.trim_end().len());
        let mut in_braces = false;
        let mut rest = line;
        while let Some((key, length)) = key(rest) {
            in_braces |= rest[..length].contains('{');
            shown.push_str(&rest[..length]);
            rest = &rest[length..];
            let (value, others) = rest.split_at(value_length(rest, in_braces));
            if is_harmless(key, value) {
                shown.push_str(value);
            } else {
                hide(&mut shown, value);
            }
            rest = others;
        }
        // Brackets that close and hyphens say nothing.
        let closing = rest.len() - rest.trim_start_matches(['}', ']', '-', ' ']).len();
        shown.push_str(&rest[..closing]);
        hide(&mut shown, &rest[closing..]);
        shown.push_str(end);
    }
    shown
}

fn hide(shown: &mut String, secret: &str) {
    shown.extend(std::iter::repeat_n('*', secret.len()));
}

/// The key that comes next, and how long it is with all around it.
fn key(text: &str) -> Option<(&str, usize)> {
    let start = text.find(|c: char| !" \t-{[},]".contains(c)).unwrap_or(text.len());
    let quote = text[start..].chars().next().filter(|c| matches!(c, '"' | '\''));
    let start = start + quote.map_or(0, char::len_utf8);
    let length = text[start..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len() - start);
    let key = &text[start..start + length];
    let behind =
        text[start + length..].strip_prefix(quote.map_or("", |quote| if quote == '"' { "\"" } else { "'" }))?;
    let value = behind.strip_prefix(':').filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))?;
    (length > 0).then_some((key, text.len() - value.trim_start().len()))
}

/// How long the value is that a text begins with: in braces up to what follows, else all of it.
fn value_length(text: &str, in_braces: bool) -> usize {
    if text.starts_with(['{', '[']) {
        return 0;
    }
    let quoted = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    let mut escaped = false;
    let closing = quoted.and_then(|quote| {
        text.char_indices().skip(1).find(|(_, c)| {
            let closes = *c == quote && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        })
    });
    match (in_braces, closing) {
        (true, Some((end, _))) => end + 1,
        (true, None) => text.find([',', '}']).unwrap_or(text.len()),
        (false, _) => text.find(" #").filter(|_| quoted.is_none()).unwrap_or(text.len()),
    }
}

fn is_harmless(key: &str, value: &str) -> bool {
    let value = value.trim();
    let bare = value.strip_prefix(['"', '\'']).and_then(|value| value.strip_suffix(['"', '\''])).unwrap_or(value);
    if ["", "true", "false", "null", "~"].contains(&bare) {
        return true;
    }
    if let Some(variable) = bare.strip_prefix("${").and_then(|name| name.strip_suffix('}')) {
        return variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    }
    let (scheme, rest) = bare.split_once("://").unwrap_or(("", bare));
    let plain = |text: &str| !text.contains([':', '@', '=', '#', '"', '\'', '&', '*', '!', '|', '>', '$']);
    let has_no_secret = HARMLESS_KEYS.contains(&key) || key == "path" || key.ends_with("_path");
    has_no_secret && plain(scheme) && plain(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_show_keys_and_harmless_values_only() {
        for (written, shown) in [
            ("  type: sqlit\n", "  type: sqlit\n"),
            ("project: my project # PW\n", "project: my project ****\n"),
            ("  port: \"5432\"\n", "  port: \"5432\"\n"),
            ("  path: data/registry.db\r\n", "  path: data/registry.db\r\n"),
            ("registry: s3://bucket/r.db\n", "registry: s3://bucket/r.db\n"),
            ("  read_path: ../r.db\n", "  read_path: ../r.db\n"),
            ("  password: ${PW}\n", "  password: ${PW}\n"),
            ("  password: ${X:-PW}\n", "  password: ********\n"),
            ("  skip_dedupe: true\n", "  skip_dedupe: true\n"),
            ("  passwort: PW\n", "  passwort: **\n"),
            ("  passwort: 1234\n", "  passwort: ****\n"),
            ("  password: PW, type: PW\n", "  password: ************\n"),
            ("  connection_string: \"u:PW@host:6379\"\n", "  connection_string: ****************\n"),
            ("  connection_string: host:6379:PW\n", "  connection_string: ************\n"),
            ("  connection_string:host:6379:PW\n", "  ******************************\n"),
            ("  path: postgresql:/u:PW@h/db\n", "  path: *********************\n"),
            ("registry: postgresql:u:PW@h/db\n", "registry: ********************\n"),
            ("  path: oracle://u:PW@db/feast\n", "  path: **********************\n"),
            ("  pathh: oracle://u@db/PW # PW\n", "  pathh: **************** ****\n"),
            ("  PW\n  - PW\n# password: PW\n", "  **\n  - **\n**************\n"),
            (
                "registry: {path: \"sqlite:///r\", read_path: \"postgresql://u:PW@h\", registry_typ: sql}\n",
                "registry: {path: \"sqlite:///r\", read_path: *********************, registry_typ: ***}\n",
            ),
            (
                "s: {type: redis, connection_string: h:1,password=PW, \"passwort\": 'PW'} # PW\n",
                "s: {type: redis, connection_string: ***************************************\n",
            ),
            ("s: {\"passwort\": 'P\\'W', type: b}\n", "s: {\"passwort\": ******, type: b}\n"),
            ("s: [{hots: \"PW, type: PW\"}, PW]\n", "s: [{hots: **************}*****\n"),
        ] {
            let found = settings(written);
            assert_eq!(found.len(), written.len(), "{written}");
            assert_eq!(found, shown, "{written}");
            assert!(!found.replace("${PW}", "").contains("PW"), "{found}");
        }
    }

    #[test]
    fn passwords_in_front_of_an_at_are_starred_out() {
        for (written, shown) in [
            ("postgresql://u:P:W@x@h/db", "postgresql://u:***@h/db"),
            ("postgresql:u:PW@h/db", "postgresql:***@h/db"),
            ("error: unexpected argument 'mysql://u:PW@h'", "error: unexpected argument 'mysql://u:***@h'"),
            ("https://host/path and a@b", "https://host/path and a@b"),
            ("a: b@c\nd", "a: b@c\nd"),
        ] {
            assert_eq!(without_logins(written), shown);
        }
        let text = "path: s3://u:PW@b/é\ndescription: at 12:30\n  db_password: a:PW\n";
        assert_eq!(definitions(text), "path: s3://u:**@b/é\ndescription: at 12:30\n  db_password: ****\n");
    }
}
