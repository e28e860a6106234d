//! README's table of limits is generated from the library's.

use wasmlark::Limit;

use crate::golden;

const BEGIN: &str = "<!-- limits: written by UPDATE=1 cargo test --test suite limits -->\n";
const END: &str = "<!-- end of limits -->\n";

fn table() -> String {
    let mut text = "| limit | default | what it limits |\n| --- | --- | --- |\n".to_owned();
    for limit in Limit::ALL {
        let default = limit.format(limit.default_value());
        text.push_str(&format!("| `{limit}` | {default} | {} |\n", limit.summary()));
    }
    text
}

#[test]
fn readme_has_the_table_of_limits() {
    let readme = include_str!("../../README.md");
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}{}{END}{after}", table());
    golden::compare("README.md", &expected, "cargo test --test suite limits").unwrap_or_else(|error| panic!("{error}"));
}
