//! The difference between two texts, for people.

/// The number of lines shown around a difference.
const CONTEXT: usize = 3;

/// The maximum number of lines shown.
const MAX_LINES: usize = 60;

/// The maximum number of steps to find the lines that both texts have.
const MAX_STEPS: usize = 1 << 22;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Old,
    New,
}

/// Returns the lines of `new`, and those of `old` where the two differ, marked with `+` and `-`, with some lines around them.
pub(crate) fn lines(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let all = compare(&old, &new);
    let is_near = |at: usize| {
        let around = all.iter().skip(at.saturating_sub(CONTEXT)).take(at.min(CONTEXT).saturating_add(CONTEXT + 1));
        around.into_iter().any(|(side, _)| *side != Side::Both)
    };
    let mut out = String::new();
    let (mut shown, mut is_gap) = (0_usize, false);
    for (at, (side, line)) in all.iter().enumerate() {
        if !is_near(at) {
            is_gap = true;
            continue;
        }
        if shown == MAX_LINES {
            out.push_str("  ... and more\n");
            break;
        }
        if std::mem::take(&mut is_gap) {
            out.push_str("  ...\n");
        }
        let mark = match side {
            Side::Both => ' ',
            Side::Old => '-',
            Side::New => '+',
        };
        out.push_str(&format!("{mark} {line}\n"));
        shown = shown.saturating_add(1);
    }
    out
}

/// Returns the lines of both texts merged, keeping the order of each.
fn compare<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(Side, &'a str)> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let middle = |rest: &[&'a str]| rest.iter().take(rest.len().saturating_sub(tail)).copied().collect::<Vec<_>>();
    let both = |lines: &[&'a str]| lines.iter().map(|line| (Side::Both, *line)).collect::<Vec<_>>();
    let mut all = both(old.get(..head).unwrap_or_default());
    all.extend(common(&middle(old_rest), &middle(new_rest)));
    all.extend(both(old.get(old.len().saturating_sub(tail)..).unwrap_or_default()));
    all
}

/// Does the same for texts without a common beginning or end, keeping the longest sequence of lines that both have.
fn common<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(Side, &'a str)> {
    let width = new.len().saturating_add(1);
    let mut all = Vec::new();
    let (mut at, mut new_at) = (0_usize, 0_usize);
    if old.len().saturating_mul(new.len()) <= MAX_STEPS {
        // The length of the longest common sequence from each pair of lines on.
        let mut lengths = vec![0_u32; width.saturating_mul(old.len().saturating_add(1))];
        let cell = |a: usize, b: usize| a.saturating_mul(width).saturating_add(b);
        let length = |lengths: &[u32], a: usize, b: usize| lengths.get(cell(a, b)).copied().unwrap_or_default();
        for (a, old_line) in old.iter().enumerate().rev() {
            for (b, new_line) in new.iter().enumerate().rev() {
                let longest = if old_line == new_line {
                    length(&lengths, a.saturating_add(1), b.saturating_add(1)).saturating_add(1)
                } else {
                    length(&lengths, a.saturating_add(1), b).max(length(&lengths, a, b.saturating_add(1)))
                };
                if let Some(place) = lengths.get_mut(cell(a, b)) {
                    *place = longest;
                }
            }
        }
        while let (Some(old_line), Some(new_line)) = (old.get(at), new.get(new_at)) {
            if old_line == new_line {
                all.push((Side::Both, *old_line));
                (at, new_at) = (at.saturating_add(1), new_at.saturating_add(1));
            } else if length(&lengths, at.saturating_add(1), new_at) >= length(&lengths, at, new_at.saturating_add(1)) {
                all.push((Side::Old, *old_line));
                at = at.saturating_add(1);
            } else {
                all.push((Side::New, *new_line));
                new_at = new_at.saturating_add(1);
            }
        }
    }
    all.extend(old.iter().skip(at).map(|line| (Side::Old, *line)));
    all.extend(new.iter().skip(new_at).map(|line| (Side::New, *line)));
    all
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn lines_that_differ_are_marked() {
        assert_eq!(lines("a\nb\nc", "a\nx\nc"), "  a\n- b\n+ x\n  c\n");
        assert_eq!(lines("a\nb", "a\nb\nc"), "  a\n  b\n+ c\n");
        assert_eq!(lines("x\na\ny\nb", "a\nz\nb\nw"), "- x\n  a\n- y\n+ z\n  b\n+ w\n");
        assert_eq!(lines("", "a"), "+ a\n");
    }

    #[test]
    fn equal_lines_far_away_are_left_out() {
        let old: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let new = old.join("\n").replace("10", "ten");
        assert_eq!(lines(&old.join("\n"), &new), "  ...\n  7\n  8\n  9\n- 10\n+ ten\n  11\n  12\n  13\n");
    }

    #[test]
    fn a_long_difference_ends() {
        let old: Vec<String> = (0..5000).map(|n| n.to_string()).collect();
        let new: Vec<String> = (0..5000).map(|n| format!("x{n}")).collect();
        let shown = lines(&old.join("\n"), &new.join("\n"));
        assert_eq!(shown.lines().count(), 61);
        assert!(shown.starts_with("- 0\n- 1\n") && shown.ends_with("  ... and more\n"));
    }
}
