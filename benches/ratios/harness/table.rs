//! README's table of figures. Code defines its rows, and a run gives its numbers.

use std::collections::BTreeMap;

use super::figure::{Figure, Goal, Outcome, Unit};

/// The table is between these lines.
pub const BEGIN: &str = "<!-- The table is written by `UPDATE=1 cargo bench --features isolated -- --table`. -->";
pub const END: &str = "<!-- End of the table. -->";

const HEADER: [&str; 2] = ["| figure | ratio | goal |", "| --- | ---: | ---: |"];
/// Stands for a figure that could not be measured.
const SKIPPED: &str = "–";

/// A row, for one figure or several.
pub struct Row {
    pub title: &'static str,
    /// The names of its figures.
    pub figures: &'static [&'static str],
    pub cell: Cell,
}

/// How the figures of a row are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// One after the other.
    Each,
    /// The smallest and the largest.
    Range,
}

/// Renders the table of the outcomes, given by name.
pub fn render(rows: &[Row], figures: &[Figure], outcomes: &BTreeMap<String, Outcome>) -> String {
    let mut table = HEADER.map(|line| format!("{line}\n")).concat();
    for row in rows {
        let figures = row.figures(figures);
        let amounts: Vec<Option<f64>> = figures
            .iter()
            .map(|figure| outcomes.get(&figure.name).and_then(|outcome| Some(outcome.as_ref().ok()?.figure())))
            .collect();
        let shown = row.cell.show(figures[0].unit, &amounts);
        table.push_str(&format!("| {} | {shown} | {} |\n", row.title, goals(&figures)));
    }
    table
}

/// Returns the document with this table in place of its own.
pub fn replace(document: &str, table: &str) -> Result<String, String> {
    let (before, _, after) = parts(document)?;
    Ok(format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))
}

/// Returns what is wrong with the table in a document, apart from its numbers.
pub fn problems(document: &str, rows: &[Row], figures: &[Figure]) -> Vec<String> {
    let table = match parts(document) {
        Ok((_, table, _)) => table,
        Err(error) => return vec![error],
    };
    let mut lines = table.lines().filter(|line| !line.is_empty());
    let mut problems = Vec::new();
    for expected in HEADER {
        let line = lines.next().unwrap_or_default();
        if line != expected {
            problems.push(format!("the header is {line:?}, not {expected:?}"));
        }
    }
    for row in rows {
        let figures = row.figures(figures);
        let line = lines.next().unwrap_or_default();
        let (title, goal) = (row.title, goals(&figures));
        let cell = line.strip_prefix("| ").and_then(|line| line.strip_prefix(title));
        let cell = cell.and_then(|line| line.strip_prefix(" | ")?.strip_suffix(&format!(" | {goal} |")));
        match cell {
            None => problems.push(format!("{line:?} is not the row {title:?} with the goal {goal}")),
            Some(cell) if !row.cell.fits(figures[0].unit, figures.len(), cell) => {
                problems.push(format!("{cell:?} is not what {title:?} shows for its {} figures", figures.len()));
            }
            Some(_) => {}
        }
    }
    problems.extend(lines.map(|line| format!("{line:?} is not a row of the bench's")));
    problems
}

/// Returns what is before, between and after the markers.
fn parts(document: &str) -> Result<(&str, &str, &str), String> {
    let marker = |marker| format!("the document has no line {marker:?}");
    let (before, rest) = document.split_once(BEGIN).ok_or_else(|| marker(BEGIN))?;
    let (table, after) = rest.split_once(END).ok_or_else(|| marker(END))?;
    Ok((before, table, after))
}

/// Returns the goals of a row's figures, or the one that they share. A goal that is not judged is in parentheses.
fn goals(figures: &[&Figure]) -> String {
    let mut goals: Vec<String> = figures
        .iter()
        .map(|figure| {
            let most = figure.unit.show(figure.goal.most()).replace(".0 ", " ");
            if let Goal::Stretch(_) = figure.goal { format!("({most})") } else { most }
        })
        .collect();
    goals.dedup();
    goals.join(", ")
}

impl Row {
    fn figures<'a>(&self, figures: &'a [Figure]) -> Vec<&'a Figure> {
        let find = |name: &&str| figures.iter().find(|figure| figure.name == *name);
        self.figures.iter().map(|name| find(name).unwrap_or_else(|| panic!("no figure is named {name:?}"))).collect()
    }
}

impl Cell {
    fn show(self, unit: Unit, amounts: &[Option<f64>]) -> String {
        let show = |amount: Option<f64>| amount.map_or(SKIPPED.to_owned(), |amount| unit.show(amount));
        let measured = || amounts.iter().flatten().copied();
        match self {
            Self::Each => amounts.iter().map(|amount| show(*amount)).collect::<Vec<_>>().join(", "),
            Self::Range => {
                let (least, most) = (show(measured().reduce(f64::min)), show(measured().reduce(f64::max)));
                if least == most { least } else { format!("{least}–{most}") }
            }
        }
    }

    /// Returns whether `show` can have made the text for this number of figures.
    fn fits(self, unit: Unit, count: usize, text: &str) -> bool {
        let is_amount = |text: &str| {
            let number = text.split(' ').next().unwrap_or_default();
            text == SKIPPED || number.parse().is_ok_and(|number| unit.show(number) == text)
        };
        match self {
            Self::Each => text.split(", ").count() == count && text.split(", ").all(is_amount),
            Self::Range => match text.split_once('–').filter(|_| text != SKIPPED) {
                Some((least, most)) => is_amount(least) && is_amount(most),
                None => is_amount(text),
            },
        }
    }
}
