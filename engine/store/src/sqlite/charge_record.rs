//! A charge as one compact column.
//!
//! Version 1, after the version byte: flags, tariff, period, total, network cost, platform fee, Builder
//! earnings; then three lists, each led by its length: usage rows (unit, group, key, quantity, before,
//! after), lines (code, quantity, unit price, amount), refusals (code, detail); and where the flags say so, one
//! list more, draws (source, with the id of a grant; amount), and the customer's parent. Whole numbers are LEB128, signed ones zigzag first;
//! words that recur are numbers of `names`; other text is its length and UTF-8; a decimal is a byte (scale, and
//! 128 for a minus; 255 for none) and its coefficient.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use rust_decimal::Decimal;
use tollgate_core::charge::{Charge, Line, Refused, Split, UsageRow};
use tollgate_core::money::Amount;
use tollgate_core::quantity::Quantity;
use tollgate_core::wallet::{Draw, Source};

use super::row;
use super::trouble::Trouble;

const VERSION: u8 = 1;
const LATE: u8 = 1;
const DRAWN: u8 = 2;
const PARENTED: u8 = 4;
const MINUS: u8 = 128;
const NO_DECIMAL: u8 = 255;

/// Where a draw is from.
const GRANT: u8 = 0;
const PAID: u8 = 1;
const CREDIT: u8 = 2;
const UNCOVERED: u8 = 3;

/// Appends a charge to `out`. `id` gives a word its number.
pub fn encode(
    charge: &Charge,
    out: &mut Vec<u8>,
    mut id: impl FnMut(&str) -> Result<i64, Trouble>,
) -> Result<(), Trouble> {
    let late = if charge.late { LATE } else { 0 };
    let drawn = if charge.draws.is_empty() { 0 } else { DRAWN };
    let parented = if charge.parent.is_none() { 0 } else { PARENTED };
    out.extend([VERSION, late | drawn | parented]);
    put_signed(out, id(&charge.tariff)?);
    put_signed(out, row::period_number(charge.period)?);
    let Split { network_cost, platform_fee, builder_earnings } = charge.split;
    for amount in [charge.total, network_cost, platform_fee, builder_earnings] {
        put_signed(out, amount.nano());
    }
    put_whole(out, charge.usage.len() as u128);
    for usage in &charge.usage {
        put_signed(out, id(&usage.unit)?);
        put_signed(out, id(&usage.group)?);
        put_text(out, &usage.key);
        for quantity in [usage.quantity, usage.before, usage.after] {
            put_decimal(out, quantity.decimal());
        }
    }
    put_whole(out, charge.lines.len() as u128);
    for line in &charge.lines {
        put_signed(out, id(&line.code)?);
        put_decimal(out, line.quantity.decimal());
        match line.unit_price {
            Some(price) => put_decimal(out, price),
            None => out.push(NO_DECIMAL),
        }
        put_signed(out, line.amount.nano());
    }
    put_whole(out, charge.refused.len() as u128);
    for refused in &charge.refused {
        put_signed(out, id(&refused.code)?);
        put_text(out, &refused.detail);
    }
    if !charge.draws.is_empty() {
        put_draws(out, &charge.draws, &mut id)?;
    }
    if let Some(parent) = &charge.parent {
        put_signed(out, id(parent)?);
    }
    Ok(())
}

fn put_draws(
    out: &mut Vec<u8>,
    draws: &[Draw],
    id: &mut impl FnMut(&str) -> Result<i64, Trouble>,
) -> Result<(), Trouble> {
    put_whole(out, draws.len() as u128);
    for draw in draws {
        match &draw.source {
            Source::Grant(grant) => {
                out.push(GRANT);
                put_signed(out, id(grant)?);
            }
            Source::Paid => out.push(PAID),
            Source::Credit => out.push(CREDIT),
            Source::Uncovered => out.push(UNCOVERED),
        }
        put_signed(out, draw.amount.nano());
    }
    Ok(())
}

/// Reads a charge back. `word` gives a number its word.
pub fn decode(
    record: &[u8],
    mut word: impl FnMut(i64) -> Result<Arc<str>, Trouble>,
) -> Result<Charge, Trouble> {
    let mut rest = Rest(record);
    let Head { late, drawn, parented, tariff, period } = rest.head()?;
    let (tariff, period) = (word(tariff)?, row::period(period)?);
    let [total, network_cost, platform_fee, builder_earnings] =
        [rest.amount()?, rest.amount()?, rest.amount()?, rest.amount()?];
    let split = Split { network_cost, platform_fee, builder_earnings };
    let usage = rest.list(|rest| {
        let (unit, group, key) = (word(rest.signed()?)?, word(rest.signed()?)?, rest.text()?.into());
        Ok(UsageRow {
            unit,
            group,
            key,
            quantity: rest.quantity()?,
            before: rest.quantity()?,
            after: rest.quantity()?,
        })
    })?;
    let lines = rest.list(|rest| {
        let (code, quantity) = (word(rest.signed()?)?, rest.quantity()?);
        Ok(Line { code, quantity, unit_price: rest.decimal()?, amount: rest.amount()? })
    })?;
    let refused =
        rest.list(|rest| Ok(Refused { code: word(rest.signed()?)?, detail: rest.text()?.to_owned() }))?;
    let draws = if drawn { rest.list(|rest| rest.draw(&mut word))? } else { Vec::new() };
    let parent = if parented { Some(word(rest.signed()?)?) } else { None };
    if !rest.0.is_empty() {
        return Err(unreadable());
    }
    Ok(Charge { tariff, parent, period, late, total, split, usage, lines, refused, draws })
}

/// The period of a charge, as its number, without reading the rest.
pub fn period_number(record: &[u8]) -> Result<i64, Trouble> {
    Ok(Rest(record).head()?.period)
}

fn put_whole(out: &mut Vec<u8>, mut value: u128) {
    while value >= 128 {
        out.push((value & 127) as u8 | 128);
        value >>= 7;
    }
    out.push((value & 127) as u8);
}

fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_whole(out, u128::from((value << 1 ^ value >> 63).cast_unsigned()));
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_whole(out, text.len() as u128);
    out.extend_from_slice(text.as_bytes());
}

fn put_decimal(out: &mut Vec<u8>, decimal: Decimal) {
    let sign = if decimal.is_sign_negative() { MINUS } else { 0 };
    out.push((decimal.scale() & 127) as u8 | sign);
    put_whole(out, decimal.mantissa().unsigned_abs());
}

fn unreadable() -> Trouble {
    Trouble::corrupt("a charge that cannot be read")
}

/// What a record begins with.
struct Head {
    late: bool,
    drawn: bool,
    parented: bool,
    /// A number of `names`.
    tariff: i64,
    period: i64,
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn head(&mut self) -> Result<Head, Trouble> {
        let version = self.byte()?;
        if version != VERSION {
            return Err(Trouble::corrupt(format!("a charge of version {version}")));
        }
        let flags = self.byte()?;
        if flags & !(LATE | DRAWN | PARENTED) != 0 {
            return Err(unreadable());
        }
        let [late, drawn, parented] = [LATE, DRAWN, PARENTED].map(|flag| flags & flag != 0);
        Ok(Head { late, drawn, parented, tariff: self.signed()?, period: self.signed()? })
    }

    fn draw(&mut self, mut word: impl FnMut(i64) -> Result<Arc<str>, Trouble>) -> Result<Draw, Trouble> {
        let source = match self.byte()? {
            GRANT => Source::Grant(word(self.signed()?)?),
            PAID => Source::Paid,
            CREDIT => Source::Credit,
            UNCOVERED => Source::Uncovered,
            _ => return Err(unreadable()),
        };
        Ok(Draw { source, amount: self.amount()? })
    }

    fn byte(&mut self) -> Result<u8, Trouble> {
        let (first, rest) = self.0.split_first().ok_or_else(unreadable)?;
        self.0 = rest;
        Ok(*first)
    }

    fn whole(&mut self) -> Result<u128, Trouble> {
        let mut value = 0_u128;
        // 14 bytes hold the 96 bits of the largest coefficient.
        for shift in (0..14 * 7).step_by(7) {
            let byte = self.byte()?;
            value |= u128::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(unreadable())
    }

    fn signed(&mut self) -> Result<i64, Trouble> {
        let zigzag = u64::try_from(self.whole()?).map_err(|_| unreadable())?;
        Ok((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
    }

    fn amount(&mut self) -> Result<Amount, Trouble> {
        self.signed().map(Amount::from_nano)
    }

    fn length(&mut self) -> Result<usize, Trouble> {
        usize::try_from(self.whole()?).map_err(|_| unreadable())
    }

    fn text(&mut self) -> Result<&'a str, Trouble> {
        let length = self.length()?;
        let (text, rest) = self.0.split_at_checked(length).ok_or_else(unreadable)?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| unreadable())
    }

    fn decimal(&mut self) -> Result<Option<Decimal>, Trouble> {
        let header = self.byte()?;
        if header == NO_DECIMAL {
            return Ok(None);
        }
        let coefficient = i128::try_from(self.whole()?).map_err(|_| unreadable())?;
        let signed = if header & MINUS == 0 { coefficient } else { -coefficient };
        let decimal = Decimal::try_from_i128_with_scale(signed, u32::from(header & !MINUS));
        decimal.map(Some).map_err(|_| unreadable())
    }

    fn quantity(&mut self) -> Result<Quantity, Trouble> {
        let decimal = self.decimal()?.ok_or_else(unreadable)?;
        Quantity::new(decimal).map_err(|_| unreadable())
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, Trouble>) -> Result<Vec<T>, Trouble> {
        let length = self.length()?;
        // A damaged length must not reserve memory: no item is shorter than a byte.
        let mut items = Vec::with_capacity(length.min(self.0.len()));
        for _ in 0..length {
            items.push(item(self)?);
        }
        Ok(items)
    }
}
