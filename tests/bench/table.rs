use std::collections::BTreeMap;

use crate::harness::figure::{Figure, Measurement, Outcome};
use crate::harness::table::{BEGIN, Cell, END, Row, problems, render, replace};
use crate::harness::{Goal, Unit};
use crate::{amount, figures, ratio};

const ROWS: &[Row] = &[
    Row { title: "one", figures: &["a"], cell: Cell::Each },
    Row { title: "three", figures: &["a", "b", "c"], cell: Cell::Each },
    Row { title: "a range", figures: &["a", "b", "c"], cell: Cell::Range },
    Row { title: "an amount", figures: &["d"], cell: Cell::Range },
];

const TABLE: &str = "\
| figure | ratio | goal |
| --- | ---: | ---: |
| one | 1.10 | 1.25 |
| three | 1.10, –, 0.90 | 1.25, (1.10) |
| a range | 0.90–1.10 | 1.25, (1.10) |
| an amount | 1.8 KiB | 16 KiB |
";

fn test_figures() -> Vec<Figure> {
    vec![
        ratio("a", Goal::AtMost(1.25)),
        ratio("b", Goal::AtMost(1.25)),
        ratio("c", Goal::Stretch(1.1)),
        amount("d", Goal::AtMost(16.0), Unit::Kibibytes),
    ]
}

fn document(table: &str) -> String {
    format!("# Title\n\n{BEGIN}\n\n{table}\n{END}\n\nText.\n")
}

#[test]
fn a_table_is_rendered_and_put_in_its_place() {
    let measured = |ours| Ok(Measurement { ours, theirs: 1.0 });
    let outcomes: [(_, Outcome); 4] =
        [("a", measured(1.1)), ("b", Err("not here".to_owned())), ("c", measured(0.9)), ("d", measured(1.8))];
    let outcomes: BTreeMap<_, _> = outcomes.into_iter().map(|(name, outcome)| (name.to_owned(), outcome)).collect();
    let table = render(ROWS, &test_figures(), &outcomes);
    assert_eq!(table, TABLE);
    assert_eq!(replace(&document("old\n"), &table).unwrap(), document(TABLE));
    assert!(problems(&document(TABLE), ROWS, &test_figures()).is_empty());
    assert_eq!(replace("# Title\n", &table).unwrap_err(), format!("the document has no line {BEGIN:?}"));
}

#[test]
fn a_table_that_has_drifted_is_found() {
    for (old, new, problem) in [
        ("| one |", "| uno |", "\"| uno | 1.10 | 1.25 |\" is not the row \"one\" with the goal 1.25"),
        ("| 1.10 | 1.25 |", "| 1.10 | 1.30 |", "\"| one | 1.10 | 1.30 |\" is not the row \"one\" with the goal 1.25"),
        ("1.10, –, 0.90", "1.10, 0.90", "\"1.10, 0.90\" is not what \"three\" shows for its 3 figures"),
        ("| 1.10 |", "| 1.1 |", "\"1.1\" is not what \"one\" shows for its 1 figures"),
        ("0.90–1.10", "fast", "\"fast\" is not what \"a range\" shows for its 3 figures"),
        ("1.8 KiB", "1.8", "\"1.8\" is not what \"an amount\" shows for its 1 figures"),
        ("| ratio |", "| time |", "the header is \"| figure | time | goal |\", not \"| figure | ratio | goal |\""),
        ("16 KiB |\n", "16 KiB |\n| more | 1 | 2 |\n", "\"| more | 1 | 2 |\" is not a row of the bench's"),
        ("| an amount | 1.8 KiB | 16 KiB |\n", "", "\"\" is not the row \"an amount\" with the goal 16 KiB"),
    ] {
        assert!(TABLE.contains(old), "{old}");
        let table = TABLE.replacen(old, new, 1);
        assert_eq!(problems(&document(&table), ROWS, &test_figures()), [problem]);
    }
    let problems = problems("# Title\n", ROWS, &test_figures());
    assert_eq!(problems, [format!("the document has no line {BEGIN:?}")]);
}

#[test]
fn readme_has_the_rows_and_goals_of_the_bench() {
    let readme = include_str!("../../README.md");
    let problems = problems(readme, figures::TABLE, &figures::all());
    assert!(
        problems.is_empty(),
        "{}\nto write the table: UPDATE=1 cargo bench --features isolated -- --table",
        problems.join("\n")
    );
}
