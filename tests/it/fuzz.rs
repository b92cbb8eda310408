//! The fuzz targets, tried for a moment: recordings and examples, damaged in the same ways on each run. `scripts/fuzz`
//! tries them for longer.

use std::{panic::catch_unwind, path::Path};

use crate::golden::{bytes, golden_root, imported_repos, read_json, recordings};

#[path = "../../fuzz/targets/mod.rs"]
mod targets;

/// Pieces that mean something to the readers.
const WORDS: [&str; 40] = [
    "\n",
    "\n  ",
    "\n- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "<<: *a",
    "!!str ",
    "!x ",
    "|\n",
    ">-\n",
    "\t",
    "\"",
    "'",
    "#",
    "---\n",
    "...",
    "é",
    "\u{feff}",
    "\u{0}",
    "\u{2028}",
    "null",
    "~",
    "true",
    "-1",
    "0",
    "1e999",
    ".nan",
    "0x7f",
    "9223372036854775808",
    "name",
    "Array(",
    "Struct({a: ",
    "P1D",
    "${A}",
    "\u{1F600}",
];

/// Bytes that mean something in messages: lengths, ends of varints, tags.
const BYTES: [u8; 8] = [0x00, 0x01, 0x0a, 0x12, 0x7f, 0x80, 0xfb, 0xff];

/// Numbers that look random and are the same on each run (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 1).unwrap() % end.max(1)
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let end = start + self.below((length - start).min(64) + 1);
        start..end
    }

    /// Damages `input` in one way.
    fn damage(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(input.len());
        match self.below(8) {
            0 if !input.is_empty() => input[at] ^= 1 << self.below(8),
            1 if !input.is_empty() => input[at] = BYTES[self.below(BYTES.len())],
            2 => drop(input.drain(self.range(input.len()))),
            3 => {
                let piece = input[self.range(input.len())].to_vec();
                input.splice(at..at, piece);
            }
            4 => {
                let piece = other[self.range(other.len())].to_vec();
                input.splice(at..at, piece);
            }
            5 => input.truncate(at),
            _ => {
                let word = WORDS[self.below(WORDS.len())].bytes();
                let end = at + self.below(2).min(input.len() - at);
                input.splice(at..end, word);
            }
        }
    }
}

/// Gives a target its corpus as it is and damaged in `rounds` ways.
fn fuzz(name: &str, target: fn(&[u8]), corpus: &[Vec<u8>], rounds: usize) {
    assert!(!corpus.is_empty());
    if let Some(folder) = std::env::var_os("FEASTR_FUZZ_CORPUS") {
        let folder = Path::new(&folder).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, input) in corpus.iter().enumerate() {
            std::fs::write(folder.join(format!("recorded-{number:04}")), input).unwrap();
        }
    }
    let run = |input: &[u8], round: &str| {
        let outcome = catch_unwind(|| target(input));
        assert!(outcome.is_ok(), "{name} fails at {round} with b\"{}\"", input.escape_ascii());
    };
    for (number, input) in corpus.iter().enumerate() {
        run(input, &format!("input {number} as it is"));
    }
    let mut random = Random(1);
    for round in 0..rounds {
        let mut input = corpus[random.below(corpus.len())].clone();
        for _ in 0..=random.below(6) {
            let other = &corpus[random.below(corpus.len())];
            random.damage(&mut input, other);
        }
        run(&input, &format!("round {round}"));
    }
}

fn files(paths: &[&str]) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    paths.iter().map(|path| std::fs::read(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))).collect()
}

#[test]
fn damaged_settings_are_refused_or_read() {
    let mut corpus = files(&["examples/feature_repo/feature_store.yaml", "tests/interop/repo/feature_store.yaml"]);
    corpus.push(
        b"project: p\nregistry: {registry_type: sql, path: $URL, cache_ttl_seconds: 60}\nonline_store: none\n".to_vec(),
    );
    fuzz("settings", targets::settings, &corpus, 10_000);
}

#[test]
fn damaged_definitions_are_refused_or_read() {
    let mut corpus = files(&[
        "examples/feature_repo/drivers.yaml",
        "examples/feature_repo/services.yaml",
        "examples/feature_repo/on_demand.yaml",
        "tests/interop/repo/definitions.yaml",
    ]);
    for repo in imported_repos() {
        let all = ["entities", "data_sources", "feature_views", "feature_services", "permissions"];
        let written = all.iter().map(|section| repo.path(&format!("{section}.yaml"))).filter(|path| path.exists());
        corpus.push(written.flat_map(|path| std::fs::read(path).unwrap()).collect());
    }
    fuzz("definitions", targets::definitions, &corpus, 3_000);
}

#[test]
fn damaged_commands_are_refused_or_read() {
    let recorded = ["stock_client.json", "raw_client.json"].map(|file| format!("tests/golden/flight/{file}"));
    let mut corpus: Vec<Vec<u8>> = Vec::new();
    for file in files(&recorded.each_ref().map(String::as_str)) {
        // Python writes what JSON does not have.
        let text = String::from_utf8(file).unwrap().replace(": NaN", ": null");
        let recorded: serde_json::Value = serde_json::from_str(&text).unwrap();
        let calls = recorded["server_log"].as_array().unwrap();
        corpus.extend(calls.iter().filter_map(|call| Some(call["command_text"].as_str()?.as_bytes().to_vec())));
        let failures = recorded["client_calls"].as_array().unwrap();
        corpus.extend(failures.iter().filter_map(|call| Some(call["error"].as_str()?.as_bytes().to_vec())));
    }
    fuzz("commands", targets::commands, &corpus, 10_000);
}

#[test]
fn damaged_registries_are_refused_or_read() {
    let mut corpus = Vec::new();
    for folder in recordings() {
        let tables = read_json(&golden_root().join("registry").join(folder).join("sqlite_rows.json"));
        for rows in tables.as_object().unwrap().values() {
            for column in rows.as_array().unwrap().iter().flat_map(|row| row.as_object().unwrap().values()) {
                let Some(message) = column["message"].as_str() else { continue };
                let kind = targets::KINDS.iter().position(|kind| message == message_of(*kind)).unwrap_or_default();
                corpus.push([vec![u8::try_from(kind).unwrap()], bytes(column)].concat());
            }
        }
    }
    fuzz("registry", targets::registry, &corpus, 8_000);
}

#[test]
fn damaged_values_and_keys_are_refused_or_read() {
    let mut corpus = Vec::new();
    for file in ["values.json", "entity_keys.json"] {
        let recorded = read_json(&golden_root().join("vectors").join(file));
        collect(&recorded, &mut corpus);
    }
    fuzz("values", targets::values, &corpus, 20_000);
}

#[test]
fn odd_words_are_refused_or_read() {
    let words = [
        "Int64",
        "Array(Float32)",
        "Struct({a: Int64, b: Array(String)})",
        "Map(String, Int64)",
        "Set(UnixTimestamp)",
        "1d12h",
        "P1DT12H",
        "90s",
        "0",
        "-7d",
        "now",
        "2026-01-01",
        "2026-01-01T00:00:00.123456+02:00",
        "UNIX_TIMESTAMP_LIST",
        r#"{"int64Val": "1"}"#,
        r#"{"mapVal":{"val":{"a":{"nullVal":"NULL"}}}}"#,
    ];
    let corpus: Vec<_> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    fuzz("words", targets::words, &corpus, 30_000);
}

/// The name of the message in rows of a kind.
fn message_of(kind: feastr::model::ObjectKind) -> &'static str {
    use feastr::model::ObjectKind::*;
    match kind {
        Project => "feast.core.Project",
        Entity => "feast.core.Entity",
        DataSource => "feast.core.DataSource",
        FeatureView => "feast.core.FeatureView",
        OnDemandFeatureView => "feast.core.OnDemandFeatureView",
        StreamFeatureView => "feast.core.StreamFeatureView",
        LabelView => "feast.core.LabelView",
        FeatureService => "feast.core.FeatureService",
        Permission => "feast.core.Permission",
        SavedDataset => "feast.core.SavedDataset",
        ValidationReference => "feast.core.ValidationReference",
    }
}

/// All recorded bytes in a JSON value.
fn collect(value: &serde_json::Value, found: &mut Vec<Vec<u8>>) {
    match value {
        serde_json::Value::Object(fields) => {
            if fields.get("hex").is_some_and(serde_json::Value::is_string) {
                found.push(bytes(value));
            }
            fields.values().for_each(|value| collect(value, found));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}
