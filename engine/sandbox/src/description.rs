//! Whether a plugin describes itself within the contract's bounds.

use std::collections::HashSet;

use tollgate_core::plugin::{Descriptor, LineDeclaration, UnitDeclaration};

const UNITS_MAX: usize = 64;
const LINES_MAX: usize = 256;
const REFUSALS_MAX: usize = 64;
const GROUP_COLUMNS_MAX: usize = 8;
const WORD_BYTES_MAX: usize = 64;
const TITLE_BYTES_MAX: usize = 400;

/// Refuses a descriptor that the core could not work with.
///
/// # Errors
/// A sentence that names the field, the value and what would be right.
pub(crate) fn examine(descriptor: &Descriptor) -> Result<(), String> {
    if !is_word(&descriptor.name, b'-') {
        return Err(format!(
            "its name {:?} must be 1 to {WORD_BYTES_MAX} lower-case letters, digits and hyphens",
            shown(&descriptor.name)
        ));
    }
    if descriptor.version.len() > WORD_BYTES_MAX || semver::Version::parse(&descriptor.version).is_err() {
        return Err(format!("its version {:?} must be like 1.2.3", shown(&descriptor.version)));
    }
    text("its summary", &descriptor.summary)?;
    at_most("units", descriptor.units.len(), UNITS_MAX)?;
    at_most("lines", descriptor.lines.len(), LINES_MAX)?;
    at_most("refusals", descriptor.refusals.len(), REFUSALS_MAX)?;
    descriptor.units.iter().try_for_each(examine_unit)?;
    unique("unit", descriptor.units.iter().map(|unit| unit.name.as_str()))?;
    let declared: HashSet<&str> = descriptor.units.iter().map(|unit| unit.name.as_str()).collect();
    descriptor.lines.iter().try_for_each(|line| examine_line(line, &declared))?;
    unique("line code", descriptor.lines.iter().map(|line| line.code.as_str()))?;
    for refusal in &descriptor.refusals {
        code("refusal", &refusal.code)?;
        text(&format!("the title of refusal {:?}", refusal.code), &refusal.title)?;
    }
    unique("refusal code", descriptor.refusals.iter().map(|refusal| refusal.code.as_str()))
}

fn examine_unit(unit: &UnitDeclaration) -> Result<(), String> {
    text("a unit's name", &unit.name)?;
    let name = &unit.name;
    at_most(&format!("group columns of unit {name:?}"), unit.group_by.len(), GROUP_COLUMNS_MAX)?;
    unit.group_by.iter().try_for_each(|column| text(&format!("a group column of unit {name:?}"), column))
}

fn examine_line(line: &LineDeclaration, units: &HashSet<&str>) -> Result<(), String> {
    code("line", &line.code)?;
    text(&format!("the title of line {:?}", line.code), &line.title)?;
    if line.unit.starts_with('/') || units.contains(line.unit.as_str()) {
        return Ok(());
    }
    Err(format!("line {:?} counts unit {:?}, which is not among its units", line.code, shown(&line.unit)))
}

fn code(what: &str, code: &str) -> Result<(), String> {
    if is_word(code, b'_') {
        return Ok(());
    }
    let code = shown(code);
    Err(format!(
        "{what} code {code:?} must be 1 to {WORD_BYTES_MAX} lower-case letters, digits and underscores"
    ))
}

fn is_word(word: &str, joint: u8) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == joint;
    (1..=WORD_BYTES_MAX).contains(&word.len()) && word.bytes().all(fits)
}

fn text(what: &str, text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err(format!("{what} is empty"));
    }
    if text.len() > TITLE_BYTES_MAX {
        return Err(format!("{what} has {} bytes; at most {TITLE_BYTES_MAX} are accepted", text.len()));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("{what} {:?} has a control character", shown(text)));
    }
    Ok(())
}

fn at_most(what: &str, count: usize, max: usize) -> Result<(), String> {
    if count <= max { Ok(()) } else { Err(format!("it declares {count} {what}; at most {max} are accepted")) }
}

fn unique<'a>(what: &str, words: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = HashSet::new();
    for word in words {
        if !seen.insert(word) {
            return Err(format!("it declares {what} {:?} twice", shown(word)));
        }
    }
    Ok(())
}

/// As much of a text as belongs in a message.
fn shown(text: &str) -> &str {
    text.get(..text.floor_char_boundary(WORD_BYTES_MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use tollgate_core::plugin::{Aggregation, LineKind, RefusalDeclaration};

    use super::*;

    fn sound() -> Descriptor {
        Descriptor {
            name: "per-page".into(),
            version: "1.2.3".into(),
            summary: "Pages.".into(),
            units: vec![unit("page"), unit("/unit")],
            lines: vec![line("page", "page"), line("named", "/unit")],
            refusals: vec![RefusalDeclaration {
                code: "limit_reached".into(),
                title: "Limit reached".into(),
            }],
            settings_schema: "{}".into(),
        }
    }

    fn unit(name: &str) -> UnitDeclaration {
        UnitDeclaration { name: name.into(), aggregation: Aggregation::Sum, pooled: false, group_by: vec![] }
    }

    fn line(code: &str, unit: &str) -> LineDeclaration {
        LineDeclaration {
            code: code.into(),
            title: "A title".into(),
            unit: unit.into(),
            kind: LineKind::Charge,
        }
    }

    #[test]
    fn what_is_sound_passes() {
        assert_eq!(examine(&sound()), Ok(()));
    }

    #[test]
    fn each_mistake_is_named() {
        let mistakes: [fn(&mut Descriptor); 14] = [
            |it| it.name = "Per Page".into(),
            |it| it.name = "x".repeat(1_000),
            |it| it.version = "one".into(),
            |it| it.summary = " ".into(),
            |it| it.units.extend((0..63).map(|number| unit(&format!("u{number}")))),
            |it| it.units.push(unit("page")),
            |it| it.units.push(unit("two\nlines")),
            |it| it.units[0].group_by = vec!["feature".into(); 9],
            |it| it.lines.push(line("page", "page")),
            |it| it.lines.push(line("Over-Age", "page")),
            |it| it.lines.push(line("overage", "pages")),
            |it| it.lines[0].title = "t".repeat(401),
            |it| it.refusals.push(it.refusals[0].clone()),
            |it| it.refusals[0].title = String::new(),
        ];
        let messages: Vec<String> = mistakes
            .iter()
            .map(|mistake| {
                let mut descriptor = sound();
                mistake(&mut descriptor);
                examine(&descriptor).unwrap_err()
            })
            .collect();
        insta::assert_snapshot!(messages.join("\n"));
    }
}
