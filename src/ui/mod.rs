//! Everything a person sees: streams, colours, tables, progress, findings.

mod advice;
mod diagnostics;
mod engine_progress;
mod index_progress;
mod join_progress;
mod lineage;
mod plan;
mod printer;
mod progress;
mod progress_line;
mod removal;
mod report;
mod spinner;
mod style;
mod table;

pub use advice::advice;
pub use diagnostics::draw as draw_diagnostics;
pub use engine_progress::EngineProgress;
pub use index_progress::IndexProgress;
pub use join_progress::{JoinProgress, Steps};
pub use lineage::{
    draw_as_dot as draw_lineage_as_dot, draw_as_mermaid as draw_lineage_as_mermaid,
    draw_as_tree as draw_lineage_as_tree,
};
pub use plan::{
    PROTECTED_ADVICE, PlanFinding, PlanStage, PlanView, allow_flags, annotations, draw_markdown,
    draw_text as draw_plan, findings_as_annotations, findings_in_markdown,
};
pub use printer::{ColorChoice, Printer, Verbosity};
pub use progress::MaterializeView;
pub use removal::RemovalProgress;
pub use report::{draw as draw_report, draw_forecast};
pub use style::Style;
pub use table::Table;
