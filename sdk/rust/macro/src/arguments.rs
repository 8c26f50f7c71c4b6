//! What the author writes between the parentheses of `#[plugin(...)]`, read and checked.

use proc_macro2::Span;
use std::collections::HashMap;
use syn::{
    Error, Expr, ExprArray, ExprLit, ExprPath, Ident, Lit, LitStr, Result, Token, parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

/// All declarations, each kind in the order in which it was written.
pub(crate) struct Arguments {
    pub(crate) units: Vec<Unit>,
    pub(crate) lines: Vec<Line>,
    pub(crate) refusals: Vec<Refusal>,
}

/// `unit(DOCUMENT, name = "document", aggregation = sum)`
pub(crate) struct Unit {
    pub(crate) constant: Ident,
    pub(crate) name: LitStr,
    pub(crate) aggregation: Ident,
    pub(crate) pooled: bool,
    pub(crate) group_by: Vec<LitStr>,
}

/// `line(OVERAGE, code = "overage", title = "Beyond those included", unit = "document")`
pub(crate) struct Line {
    pub(crate) constant: Ident,
    pub(crate) code: LitStr,
    pub(crate) title: LitStr,
    pub(crate) unit: LitStr,
    pub(crate) kind: Ident,
}

/// `refusal(LIMIT, code = "limit_reached", title = "The limit is reached")`
pub(crate) struct Refusal {
    pub(crate) constant: Ident,
    pub(crate) code: LitStr,
    pub(crate) title: LitStr,
}

impl Parse for Arguments {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut arguments = Self { units: Vec::new(), lines: Vec::new(), refusals: Vec::new() };
        for declaration in Punctuated::<Declaration, Token![,]>::parse_terminated(input)? {
            match declaration.keyword.to_string().as_str() {
                "unit" => arguments.units.push(Unit::read(declaration)?),
                "line" => arguments.lines.push(Line::read(declaration)?),
                "refusal" => arguments.refusals.push(Refusal::read(declaration)?),
                other => {
                    let message = format!("`{other}` is not a declaration; use `unit`, `line` or `refusal`");
                    return Err(Error::new(declaration.keyword.span(), message));
                }
            }
        }
        arguments.refuse_duplicates()?;
        arguments.refuse_unknown_units()?;
        Ok(arguments)
    }
}

impl Arguments {
    fn refuse_duplicates(&self) -> Result<()> {
        let constants = (self.units.iter().map(|unit| &unit.constant))
            .chain(self.lines.iter().map(|line| &line.constant))
            .chain(self.refusals.iter().map(|refusal| &refusal.constant));
        unique("constant", constants.map(|constant| (constant.to_string(), constant.span())))?;
        unique("unit name", self.units.iter().map(|unit| (unit.name.value(), unit.name.span())))?;
        unique("line code", self.lines.iter().map(|line| (line.code.value(), line.code.span())))?;
        let refusals = self.refusals.iter().map(|refusal| (refusal.code.value(), refusal.code.span()));
        unique("refusal code", refusals)
    }

    fn refuse_unknown_units(&self) -> Result<()> {
        for line in &self.lines {
            let name = line.unit.value();
            if !self.units.iter().any(|unit| unit.name.value() == name) {
                let known: Vec<_> =
                    self.units.iter().map(|unit| format!("`{}`", unit.name.value())).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let message = format!("no unit is named `{name}`; the plugin declares {known}");
                return Err(Error::new(line.unit.span(), message));
            }
        }
        Ok(())
    }
}

impl Unit {
    fn read(mut declaration: Declaration) -> Result<Self> {
        let aggregation = declaration.choice("aggregation", &["sum", "max", "distinct"])?;
        let unit = Self {
            name: declaration.text("name")?,
            aggregation: aggregation.ok_or_else(|| declaration.lacks("aggregation = sum"))?,
            pooled: declaration.flag("pooled")?,
            group_by: declaration.texts("group_by")?,
            constant: declaration.constant.clone(),
        };
        declaration.finish(&["name", "aggregation", "pooled", "group_by"])?;
        Ok(unit)
    }
}

impl Line {
    fn read(mut declaration: Declaration) -> Result<Self> {
        let kind = declaration.choice("kind", &["charge", "credit", "adjustment"])?;
        let line = Self {
            code: declaration.code()?,
            title: declaration.text("title")?,
            unit: declaration.text("unit")?,
            kind: kind.unwrap_or_else(|| Ident::new("charge", Span::call_site())),
            constant: declaration.constant.clone(),
        };
        declaration.finish(&["code", "title", "unit", "kind"])?;
        Ok(line)
    }
}

impl Refusal {
    fn read(mut declaration: Declaration) -> Result<Self> {
        let refusal = Self {
            code: declaration.code()?,
            title: declaration.text("title")?,
            constant: declaration.constant.clone(),
        };
        declaration.finish(&["code", "title"])?;
        Ok(refusal)
    }
}

/// `keyword(CONSTANT, name = value, flag)`, not yet understood.
struct Declaration {
    keyword: Ident,
    constant: Ident,
    /// Arguments not yet taken. A flag has no value.
    arguments: Vec<(Ident, Option<Expr>)>,
}

impl Parse for Declaration {
    fn parse(input: ParseStream) -> Result<Self> {
        let keyword: Ident = input.parse()?;
        let content;
        parenthesized!(content in input);
        let constant: Ident = content
            .parse()
            .map_err(|error| Error::new(error.span(), "begin with the name of a constant: DOCUMENT"))?;
        if content.peek(Token![=]) {
            let message = format!("begin with the name of a constant: {keyword}(DOCUMENT, {constant} = ...)");
            return Err(Error::new(constant.span(), message));
        }
        let mut arguments = Vec::new();
        while content.parse::<Option<Token![,]>>()?.is_some() && !content.is_empty() {
            let name: Ident = content.parse()?;
            let value = match content.parse::<Option<Token![=]>>()? {
                Some(_) => Some(content.parse()?),
                None => None,
            };
            if arguments.iter().any(|(earlier, _)| *earlier == name) {
                return Err(Error::new(name.span(), format!("`{name}` is given twice")));
            }
            arguments.push((name, value));
        }
        if !content.is_empty() {
            return Err(content.error("expected a comma"));
        }
        Ok(Self { keyword, constant, arguments })
    }
}

impl Declaration {
    fn take(&mut self, name: &str) -> Option<(Ident, Option<Expr>)> {
        let position = self.arguments.iter().position(|(argument, _)| argument == name)?;
        Some(self.arguments.remove(position))
    }

    /// A text that has to be there and may not be empty.
    fn text(&mut self, name: &str) -> Result<LitStr> {
        match self.take(name) {
            Some((_, Some(value))) => text_of(&value),
            Some((argument, None)) => Err(Error::new(argument.span(), format!("write {name} = \"...\""))),
            None => Err(self.lacks(&format!("{name} = \"...\""))),
        }
    }

    /// A list of texts; empty when it is not there.
    fn texts(&mut self, name: &str) -> Result<Vec<LitStr>> {
        match self.take(name) {
            Some((_, Some(Expr::Array(ExprArray { elems, .. })))) => elems.iter().map(text_of).collect(),
            Some((argument, _)) => Err(Error::new(argument.span(), format!("write {name} = [\"feature\"]"))),
            None => Ok(Vec::new()),
        }
    }

    /// A stable word for programs.
    fn code(&mut self) -> Result<LitStr> {
        let code = self.text("code")?;
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if code.value().bytes().all(allowed) {
            return Ok(code);
        }
        Err(Error::new(code.span(), "a code has only lower-case letters, digits and underscores"))
    }

    /// One of a few words.
    fn choice(&mut self, name: &str, words: &[&str]) -> Result<Option<Ident>> {
        let Some((argument, value)) = self.take(name) else { return Ok(None) };
        let hint = format!("`{name}` is one of: {}", words.join(", "));
        let Some(value) = value else { return Err(Error::new(argument.span(), hint)) };
        match &value {
            Expr::Path(ExprPath { path, .. }) => match path.get_ident() {
                Some(word) if words.iter().any(|known| word == known) => Ok(Some(word.clone())),
                _ => Err(Error::new_spanned(value, hint)),
            },
            other => Err(Error::new_spanned(other, hint)),
        }
    }

    /// A word that stands alone.
    fn flag(&mut self, name: &str) -> Result<bool> {
        match self.take(name) {
            Some((_, Some(value))) => Err(Error::new_spanned(value, format!("`{name}` stands alone"))),
            Some((_, None)) => Ok(true),
            None => Ok(false),
        }
    }

    fn lacks(&self, what: &str) -> Error {
        Error::new(self.keyword.span(), format!("{}({}, ...) needs `{what}`", self.keyword, self.constant))
    }

    /// Refuses whatever nobody asked for.
    fn finish(&self, known: &[&str]) -> Result<()> {
        let Some((argument, _)) = self.arguments.first() else { return Ok(()) };
        let (keyword, known) = (&self.keyword, known.join(", "));
        let message = format!("`{keyword}` has no argument `{argument}`; it has: {known}");
        Err(Error::new(argument.span(), message))
    }
}

fn text_of(value: &Expr) -> Result<LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if !text.value().is_empty() => Ok(text.clone()),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            Err(Error::new(text.span(), "this may not be empty"))
        }
        other => Err(Error::new_spanned(other, "this is a text, in quotation marks")),
    }
}

fn unique(what: &str, names: impl Iterator<Item = (String, Span)>) -> Result<()> {
    let mut seen = HashMap::new();
    for (name, span) in names {
        if seen.insert(name.clone(), span).is_some() {
            return Err(Error::new(span, format!("the {what} `{name}` is declared twice")));
        }
    }
    Ok(())
}
