//! Views that Python computes, as comments beside the definitions: the function, and the same view in SQL.

use std::{collections::BTreeMap, fmt::Write as _};

use super::Writer;
use crate::{
    model::{Object, ObjectId, OnDemandFeatureView, printable},
    yaml::{Tree, write_collection},
};

/// A view that a Python function computes.
#[derive(Debug, Clone, Copy)]
pub struct Sketch<'a> {
    /// The view, with the expressions that are known.
    pub view: &'a OnDemandFeatureView,
    /// The source of the function.
    pub source: &'a str,
    /// Why other outputs have no expression, by their names.
    pub refused: &'a [(String, String)],
    /// Names of the services that select from it.
    pub services: &'a [String],
}

impl Sketch<'_> {
    /// The comment. Without the mark in front of their lines the last ones are an item of the collection.
    pub(super) fn text(&self, collection: &str, objects: &BTreeMap<ObjectId, Object>) -> String {
        let item = Writer { objects }.on_demand_feature_view(self.view);
        let definition = write_collection(collection, &Tree::List(vec![item]));
        let mut text = String::new();
        let mut say = |line: &str| {
            let _ = writeln!(text, "{}", format!("# {}", in_comment(line)).trim_end());
        };
        let name = &self.view.name;
        say(&format!("{name} is computed by this Python function, which the registry keeps:"));
        self.source.lines().for_each(|line| say(&format!("| {line}")));
        for (output, reason) in self.refused {
            say(&format!("{output} is not translated: {reason}"));
        }
        if !self.services.is_empty() {
            say(&format!(
                "Services that select from it have to be declared as well then: {}",
                self.services.join(", ")
            ));
        }
        say("The same in SQL. Without `#` in front of its lines it takes the function's place, which plan shows:");
        for line in definition.lines().skip(1) {
            let _ = writeln!(text, "#{line}");
        }
        text
    }
}

/// A line as YAML takes it for one line of a comment.
fn in_comment(line: &str) -> String {
    let line = line.replace('\t', "    ");
    let line = printable(&line);
    let is_seen = |c: char| !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    line.chars().map(|c| if is_seen(c) { c } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        diagnostics::{Diagnostics, SourceText},
        model::{DataType, Expression, Field, samples::on_demand_view},
        yaml,
    };

    #[test]
    fn sources_of_any_text_stay_comments() {
        let features = ["known", "unknown"].map(|name| Field::new(name, DataType::Int64));
        let expressions = vec![Expression { name: "known".to_owned(), sql: "1".to_owned() }];
        let view = OnDemandFeatureView { features: features.into(), expressions, ..on_demand_view("v") };
        let source = "def f(x):\r\n\treturn 'a: \u{85}b\u{2028}c\0'\rentities: [evil]\n\n- x\n";
        let refused = [("unknown".to_owned(), "line 2: `a\nb`: no".to_owned())];
        let sketch = Sketch { view: &view, source, refused: &refused, services: &["s".to_owned()] };
        let text = sketch.text("on_demand_feature_views", &BTreeMap::new());
        assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
        let mut diagnostics = Diagnostics::default();
        let file = Arc::new(SourceText::new("t.yaml", format!("{text}\nentities: []\n")));
        let read = yaml::parse(&file, &mut diagnostics).unwrap();
        assert_eq!(read.entries().unwrap().len(), 1, "{text}");
        let uncommented: String =
            text.lines().filter(|line| line.starts_with("#  ")).map(|line| format!("{}\n", &line[1..])).collect();
        insta::assert_snapshot!(uncommented, @r#"
          - name: v
            sources: []
            schema:
              - {name: known, dtype: Int64, sql: "1"}
              - {name: unknown, dtype: Int64, sql: ""}
        "#);
    }
}
