//! Two texts side by side, line by line: what is gone (`-`), what is new (`+`), and a little around it.

/// Lines of context around a difference.
const CONTEXT: usize = 1;
/// The longest texts that are compared for their common lines, in lines.
const LINES_MAX: usize = 2_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Same,
    Gone,
    New,
}

/// The lines that differ, each with its mark, and one line around each group. Empty when nothing differs.
pub(crate) fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let marked = marked(&old, &new);
    let near = |position: usize| {
        let from = position.saturating_sub(CONTEXT);
        marked.iter().skip(from).take(position - from + CONTEXT + 1).any(|(mark, _)| *mark != Mark::Same)
    };
    let mut shown = String::new();
    let mut skipped = false;
    for (position, (mark, line)) in marked.iter().enumerate() {
        if !near(position) {
            skipped = true;
            continue;
        }
        if skipped && !shown.is_empty() {
            shown.push_str("  ...\n");
        }
        skipped = false;
        let sign = match mark {
            Mark::Same => ' ',
            Mark::Gone => '-',
            Mark::New => '+',
        };
        shown.push(sign);
        shown.push(' ');
        shown.push_str(line);
        shown.push('\n');
    }
    shown
}

/// Every line with its mark, along a longest common subsequence.
fn marked<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(Mark, &'a str)> {
    if old.len() > LINES_MAX || new.len() > LINES_MAX {
        let gone = old.iter().map(|line| (Mark::Gone, *line));
        return gone.chain(new.iter().map(|line| (Mark::New, *line))).collect();
    }
    let width = new.len() + 1;
    // How many lines are common from here on, for each pair of positions.
    let mut common = vec![0_u32; (old.len() + 1) * width];
    let at = |common: &[u32], i: usize, j: usize| common.get(i * width + j).copied().unwrap_or(0);
    for (i, left) in old.iter().enumerate().rev() {
        for (j, right) in new.iter().enumerate().rev() {
            let count = if left == right {
                at(&common, i + 1, j + 1) + 1
            } else {
                at(&common, i + 1, j).max(at(&common, i, j + 1))
            };
            if let Some(cell) = common.get_mut(i * width + j) {
                *cell = count;
            }
        }
    }
    let (mut i, mut j, mut marked) = (0, 0, Vec::new());
    loop {
        match (old.get(i), new.get(j)) {
            (Some(left), Some(right)) if left == right => {
                marked.push((Mark::Same, *left));
                (i, j) = (i + 1, j + 1);
            }
            (Some(left), right) if right.is_none() || at(&common, i + 1, j) >= at(&common, i, j + 1) => {
                marked.push((Mark::Gone, *left));
                i += 1;
            }
            (_, Some(right)) => {
                marked.push((Mark::New, *right));
                j += 1;
            }
            (_, None) => return marked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn only_what_differs_is_shown() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), "");
        let (old, new) = ("1\n2\n3\n4\n5\n6\n7\n", "1\n2\nthree\n4\n5\n6\n7\n8\n");
        insta::assert_snapshot!(difference(old, new), @r"
          2
        - 3
        + three
          4
          ...
          7
        + 8
        ");
    }
}
