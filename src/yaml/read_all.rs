use std::sync::Arc;

use super::{parse::parse, read::Read};
use crate::{
    diagnostics::{Diagnostics, SourceText},
    side_by_side::side_by_side,
};

/// Reads one value from each file, in the order of the files; an empty file holds none. Parsing is most of the time
/// of a plan, so the processors share it.
pub fn read_all<T: Read + Send>(files: &[Arc<SourceText>], diagnostics: &mut Diagnostics) -> Vec<T> {
    let read = |file: &Arc<SourceText>| {
        let mut found = Diagnostics::default();
        let node = parse(file, &mut found).filter(|node| !node.is_null());
        (node.and_then(|node| T::read(&node, &mut found)), found)
    };
    let mut values = Vec::with_capacity(files.len());
    for (value, found) in side_by_side(files, read) {
        values.extend(value);
        diagnostics.append(found);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_findings_keep_the_order_of_the_files() {
        let file = |n: usize| {
            let text = match n % 3 {
                0 => format!("[{n}]"),
                1 => "# nothing".to_owned(),
                _ => "[x]".to_owned(),
            };
            Arc::new(SourceText::new(format!("{n:03}.yaml"), text))
        };
        let files: Vec<_> = (0..100).map(file).collect();
        let mut diagnostics = Diagnostics::default();
        let values: Vec<Vec<i64>> = read_all(&files, &mut diagnostics);
        let written: Vec<i64> = values.into_iter().flatten().collect();
        assert_eq!(written, (0..100).step_by(3).collect::<Vec<i64>>());
        let wrong = diagnostics.into_sorted();
        assert_eq!(wrong.len(), 33);
        assert_eq!(wrong[0].span.as_ref().unwrap().file.path.to_str(), Some("002.yaml"));
    }
}
