use comfy_table::{ContentArrangement, presets};

/// Rows under headings, for the screen.
pub struct Table(comfy_table::Table);

impl Table {
    /// A table with these headings and no rows.
    pub fn new<'a>(headings: impl IntoIterator<Item = &'a str>) -> Self {
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(headings.into_iter().collect::<Vec<_>>());
        table.set_truncation_indicator("…");
        Self(table)
    }

    /// Adds a row with a cell for each heading.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.add_row(cells.into_iter().collect::<Vec<_>>());
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in self.0.to_string().lines() {
            // The preset pads cells on both sides; a table starts and ends without blanks.
            writeln!(f, "{}", line.strip_prefix(' ').unwrap_or(line).trim_end())?;
        }
        Ok(())
    }
}
