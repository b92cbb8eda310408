use crate::problem::{Kind, Problem};
/// Entities to look up: named columns of texts, one row per entity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntityTable {
    /// The join keys.
    pub columns: Vec<String>,
    /// One text per column; `None` for null.
    pub rows: Vec<Vec<Option<String>>>,
    /// The file they are from, for messages.
    pub file: Option<String>,
}

impl EntityTable {
    /// What messages call an entity, by its place from 0.
    pub fn row(&self, index: usize) -> String {
        match &self.file {
            Some(file) => format!("row {} of {file}", index + 1),
            None => format!("entity {}", index + 1),
        }
    }
}

impl EntityTable {
    /// Adds an entity given as name-value pairs, which every entity must give alike.
    ///
    /// # Errors
    /// When a name is given twice, or the names differ from those of the entities before.
    pub fn push(&mut self, pairs: Vec<(String, String)>) -> Result<(), Problem> {
        for (index, (name, _)) in pairs.iter().enumerate() {
            if pairs[..index].iter().any(|(other, _)| other == name) {
                return Err(Problem::new(Kind::Invalid, format!("`{name}` is given twice for one entity"), None));
            }
        }
        if self.rows.is_empty() {
            self.columns = pairs.iter().map(|(name, _)| name.clone()).collect();
        }
        let mut row = vec![None; self.columns.len()];
        let same = pairs.len() == self.columns.len();
        for (name, value) in pairs {
            match self.columns.iter().position(|column| *column == name) {
                Some(position) if same => row[position] = Some(value),
                _ => {
                    return Err(Problem::new(
                        Kind::Invalid,
                        format!("entity {} has other columns than the first one", self.rows.len() + 1),
                        format!("give {} for each", self.columns.join(", ")),
                    ));
                }
            }
        }
        self.rows.push(row);
        Ok(())
    }
}
