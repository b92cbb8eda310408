use crate::{
    diagnostics::counted,
    offline::HistoricalRead,
    ui::{Printer, Verbosity},
};

/// Says what was noticed while features were joined.
pub(crate) fn say(read: HistoricalRead, printer: Printer) {
    if read.unfit > 0 {
        let values = counted(read.unfit, "value");
        printer.warn(format_args!("{values} out of the range of the declared type, read as null"));
    }
    if read.ties > 0 && printer.verbosity == Verbosity::Verbose {
        let rows = counted(read.ties, "source row");
        printer.say(format_args!("{rows} as new as another one of the entity, decided by the values"));
    }
}
