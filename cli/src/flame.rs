//! A flame graph of a profile, as an SVG picture that needs no script.

use std::collections::BTreeMap;
use std::fmt::Write;

/// The width of the picture, the height of a row, and the space around, in pixels.
const WIDTH: f64 = 1200.0;
const ROW: usize = 18;
const MARGIN: usize = 30;

/// The smallest width that is drawn, and the width of a character, in pixels.
const LEAST: f64 = 0.3;
const CHARACTER: f64 = 6.6;

/// A function, by the path of its callers.
#[derive(Default)]
struct Node<'a> {
    /// The fuel that it and its callees spent.
    fuel: u64,
    below: BTreeMap<&'a str, Node<'a>>,
}

impl Node<'_> {
    fn depth(&self) -> usize {
        self.below.values().map(|node| node.depth().saturating_add(1)).max().unwrap_or_default()
    }
}

/// Draws folded stacks. Each depth has a row, and the outermost functions are at the bottom. The width of a function shows the
/// fuel that it and its callees spent.
pub fn draw(folded: &str) -> String {
    let mut root = Node::default();
    for (stack, fuel) in folded.lines().filter_map(|line| line.rsplit_once(' ')) {
        let fuel: u64 = fuel.parse().unwrap_or_default();
        let mut node = &mut root;
        node.fuel = node.fuel.saturating_add(fuel);
        for name in stack.split(';') {
            node = node.below.entry(name).or_default();
            node.fuel = node.fuel.saturating_add(fuel);
        }
    }
    let rows = root.depth().saturating_add(1);
    let height = rows.saturating_mul(ROW).saturating_add(MARGIN.saturating_mul(2));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"monospace\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fffdf7\"/>\n\
         <text x=\"{}\" y=\"20\" text-anchor=\"middle\" font-size=\"14\">Fuel: {}</text>\n",
        WIDTH / 2.0,
        root.fuel
    );
    let mut picture = Picture { out: &mut out, all: root.fuel, height };
    picture.node("all", &root, 0, 0.0, WIDTH);
    out.push_str("</svg>\n");
    out
}

struct Picture<'a> {
    out: &'a mut String,
    all: u64,
    height: usize,
}

impl Picture<'_> {
    fn node(&mut self, name: &str, node: &Node<'_>, row: usize, x: f64, width: f64) {
        if width < LEAST {
            return;
        }
        let y = self.height.saturating_sub(MARGIN).saturating_sub(row.saturating_add(1).saturating_mul(ROW));
        let share = 100.0 * node.fuel as f64 / self.all.max(1) as f64;
        let shown = escaped(name);
        let fits = (width / CHARACTER) as usize;
        let label: String = match name.chars().count() {
            count if count <= fits => name.to_owned(),
            _ if fits < 4 => String::new(),
            _ => name.chars().take(fits.saturating_sub(1)).chain(['…']).collect(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            self.out,
            "<g><title>{shown}: {} ({share:.2} %)</title><rect x=\"{x:.2}\" y=\"{y}\" width=\"{width:.2}\" height=\"{}\" \
             fill=\"{}\" stroke=\"#fffdf7\" stroke-width=\"0.5\"/><text x=\"{:.2}\" y=\"{}\">{}</text></g>",
            node.fuel,
            ROW.saturating_sub(1),
            colour(name),
            x + 3.0,
            y.saturating_add(12),
            escaped(&label)
        );
        let mut at = x;
        for (name, below) in &node.below {
            let part = width * below.fuel as f64 / node.fuel.max(1) as f64;
            self.node(name, below, row.saturating_add(1), at, part);
            at += part;
        }
    }
}

/// Returns blue for a script's function, and a warm colour for a guest's, which depends on its name.
fn colour(name: &str) -> String {
    let hash = name.bytes().fold(5381_u32, |hash, byte| hash.wrapping_mul(33) ^ u32::from(byte));
    let part = |shift: u32, range: u32| (hash >> shift) % range;
    match name.contains(".star:") {
        true => format!("rgb({},{},{})", 130 + part(0, 40), 170 + part(8, 40), 230),
        false => format!("rgb({},{},{})", 225 + part(0, 30), 110 + part(8, 110), 60 + part(16, 50)),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_as_wide_as_their_fuel() {
        let svg = draw("a;b 30\na;c<d> 60\na 10\n");
        let width = |name: &str| {
            let (_, rest) = svg.split_once(&format!("<title>{name}: ")).unwrap();
            let (_, rest) = rest.split_once(" width=\"").unwrap();
            rest.split_once('"').unwrap().0.parse::<f64>().unwrap()
        };
        assert!((width("all") - 1200.0).abs() < 0.01);
        assert!((width("a") - 1200.0).abs() < 0.01);
        assert!((width("b") - 360.0).abs() < 0.01);
        assert!((width("c&lt;d&gt;") - 720.0).abs() < 0.01);
    }
}
