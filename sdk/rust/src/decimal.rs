//! Exact decimals: what quantities, prices and amounts are made of.
//!
//! Arithmetic here never rounds unless it is told to how many places, and never wraps or panics: a result
//! that does not fit is a [`Fault`]. Reading and writing decimals as text is in `decimal/text.rs`.

mod division;
mod text;

use crate::Fault;
use std::cmp::Ordering;

/// The most digits after the point.
pub(crate) const SCALE_MAX: u32 = 28;
/// The most digits after the point of an amount that is charged: nano-units of the currency.
const NANO_PLACES: u32 = 9;
const COEFFICIENT_BITS: u32 = 96;
const SIGN: u64 = 1 << 63;

/// Ten to the power of its index, as far as a coefficient may need.
const POWERS_OF_TEN: [i128; SCALE_MAX as usize + 1] = {
    let mut powers = [1_i128; SCALE_MAX as usize + 1];
    let mut rest: &mut [i128] = &mut powers;
    let mut power = 1_i128;
    while let [first, others @ ..] = rest {
        *first = power;
        power *= 10;
        rest = others;
    }
    powers
};

/// An exact decimal: a coefficient of up to 96 bits, and 0 to 28 digits after the point.
///
/// Two decimals are equal when their values are: `12.5` and `12.50`. In settings a decimal is a JSON
/// *string* (`"12.50"`), never a JSON number.
#[derive(Clone, Copy)]
pub struct Decimal {
    coefficient: i128,
    scale: u32,
}

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self { coefficient: 0, scale: 0 };
    /// One.
    pub const ONE: Self = Self { coefficient: 1, scale: 0 };

    /// Reads the contract's two words, which the host promises to be canonical.
    #[inline]
    pub const fn from_words(low: u64, high: u64) -> Self {
        let magnitude = (((high & 0xffff_ffff) as i128) << 64) | low as i128;
        let coefficient = if high & SIGN == 0 { magnitude } else { -magnitude };
        Self { coefficient, scale: ((high >> 32) & 0xff) as u32 }
    }

    /// The contract's two words.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // The shifts take the number apart.
    pub const fn to_words(self) -> [u64; 2] {
        let magnitude = self.coefficient.unsigned_abs();
        let sign = if self.coefficient < 0 { SIGN } else { 0 };
        [magnitude as u64, (magnitude >> 64) as u64 | ((self.scale as u64) << 32) | sign]
    }

    /// Whether this is nothing.
    #[inline]
    pub const fn is_zero(self) -> bool {
        self.coefficient == 0
    }

    /// Whether this is less than nothing.
    #[inline]
    pub const fn is_negative(self) -> bool {
        self.coefficient < 0
    }

    /// How many digits are written after the point, trailing zeros included.
    #[inline]
    pub const fn scale(self) -> u32 {
        self.scale
    }

    /// The sum, exactly.
    ///
    /// # Errors
    /// When the sum has more digits than a decimal can hold.
    #[inline]
    pub fn plus(self, other: Self) -> Result<Self, Fault> {
        if self.scale == other.scale {
            // Two numbers of 97 bits cannot overflow 128, so there is nothing to check.
            return Self::fit(self.coefficient.wrapping_add(other.coefficient), self.scale);
        }
        // Sums begin with nothing, and many prices have a part that is nothing.
        if self.is_zero() {
            return Ok(other);
        }
        if other.is_zero() {
            return Ok(self);
        }
        self.plus_rescaled(other).ok_or_else(|| too_long("sum", self, "+", other))
    }

    /// The difference, exactly.
    ///
    /// # Errors
    /// When the difference has more digits than a decimal can hold.
    #[inline]
    pub fn minus(self, other: Self) -> Result<Self, Fault> {
        self.plus(other.negated())
    }

    /// The product, exactly.
    ///
    /// # Errors
    /// When the product has more digits than a decimal can hold; it is never rounded to make it fit.
    #[inline]
    pub fn times(self, other: Self) -> Result<Self, Fault> {
        let scale = self.scale + other.scale;
        if scale <= SCALE_MAX
            && let Some(coefficient) = short_product(self.coefficient, other.coefficient)
            && coefficient.unsigned_abs() >> COEFFICIENT_BITS == 0
        {
            return Ok(Self { coefficient, scale });
        }
        self.times_long(other).ok_or_else(|| too_long("product", self, "×", other))
    }

    /// How much of this lies beyond a limit: the difference, or zero when it is below.
    ///
    /// # Errors
    /// When the difference has more digits than a decimal can hold.
    #[inline]
    pub fn beyond(self, limit: Self) -> Result<Self, Fault> {
        if self <= limit { Ok(Self::ZERO) } else { self.minus(limit) }
    }

    /// The same distance from zero, on the other side.
    #[inline]
    #[must_use]
    pub const fn negated(self) -> Self {
        Self { coefficient: -self.coefficient, scale: self.scale }
    }

    /// The same value with no trailing zeros after the point.
    #[must_use]
    pub const fn shortest(self) -> Self {
        let mut shorter = self;
        while shorter.scale > 0 && shorter.coefficient % 10 == 0 {
            shorter = Self { coefficient: shorter.coefficient / 10, scale: shorter.scale - 1 };
        }
        shorter
    }

    /// Rounded half to even to nine places, as every amount that is charged.
    #[inline]
    #[must_use]
    pub fn rounded_to_nano(self) -> Self {
        if self.scale <= NANO_PLACES { self } else { self.rounded(NANO_PLACES) }
    }

    /// Brings a result into range: exactly, or not at all.
    #[inline]
    fn fit(coefficient: i128, scale: u32) -> Result<Self, Fault> {
        if coefficient.unsigned_abs() >> COEFFICIENT_BITS == 0 && scale <= SCALE_MAX {
            return Ok(Self { coefficient, scale });
        }
        Self::fit_shorter(coefficient, scale).ok_or_else(|| Fault::new(TOO_LONG))
    }

    fn fit_shorter(coefficient: i128, scale: u32) -> Option<Self> {
        let mut longer = Self { coefficient, scale };
        while longer.coefficient.unsigned_abs() >> COEFFICIENT_BITS != 0 || longer.scale > SCALE_MAX {
            if longer.scale == 0 || longer.coefficient % 10 != 0 {
                return None;
            }
            longer = Self { coefficient: longer.coefficient / 10, scale: longer.scale - 1 };
        }
        Some(longer)
    }

    fn plus_rescaled(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        if let (Some(left), Some(right)) = (self.coefficient_at(scale), other.coefficient_at(scale))
            && let Some(coefficient) = left.checked_add(right)
            && let Some(sum) = Self::fit_shorter(coefficient, scale)
        {
            return Some(sum);
        }
        let (left, right) = (self.shortest(), other.shortest());
        let scale = left.scale.max(right.scale);
        Self::fit_shorter(left.coefficient_at(scale)?.checked_add(right.coefficient_at(scale)?)?, scale)
    }

    fn times_long(self, other: Self) -> Option<Self> {
        let whole = |left: Self, right: Self| {
            Self::fit_shorter(left.coefficient.checked_mul(right.coefficient)?, left.scale + right.scale)
        };
        whole(self, other).or_else(|| whole(self.shortest(), other.shortest()))
    }

    /// The coefficient this would have with more digits after the point; nothing when that overflows.
    #[inline]
    fn coefficient_at(self, scale: u32) -> Option<i128> {
        let power = POWERS_OF_TEN.get(scale.checked_sub(self.scale)? as usize)?;
        if let Some(product) = short_product(self.coefficient, *power) {
            return Some(product);
        }
        self.coefficient.checked_mul(*power)
    }
}

/// The product of two coefficients of up to 64 bits; nothing when one is longer. Most fit 63 bits together,
/// and then one machine instruction does it, where 128 bits take a function call on WebAssembly.
#[inline]
fn short_product(left: i128, right: i128) -> Option<i128> {
    let (left, right) = (i64::try_from(left).ok()?, i64::try_from(right).ok()?);
    let zeros = left.unsigned_abs().leading_zeros() + right.unsigned_abs().leading_zeros();
    if zeros > i64::BITS {
        // 63 bits at the most: it cannot overflow.
        return Some(i128::from(left.wrapping_mul(right)));
    }
    Some(i128::from(left).wrapping_mul(i128::from(right)))
}

const TOO_LONG: &str = "a result has more digits than an exact decimal can hold (28 after the point)";

#[cold]
fn too_long(what: &str, left: Decimal, sign: &str, right: Decimal) -> Fault {
    Fault::new(format!("the {what} {left} {sign} {right} has more digits than an exact decimal can hold"))
}

impl Ord for Decimal {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        if self.scale == other.scale {
            return self.coefficient.cmp(&other.coefficient);
        }
        let scale = self.scale.max(other.scale);
        match (self.coefficient_at(scale), other.coefficient_at(scale)) {
            (Some(left), Some(right)) => left.cmp(&right),
            // What overflows is further from zero than any number that does not.
            (None, _) => self.coefficient.cmp(&0),
            (_, None) => 0.cmp(&other.coefficient),
        }
    }
}

impl PartialOrd for Decimal {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl Default for Decimal {
    fn default() -> Self {
        Self::ZERO
    }
}

macro_rules! from_integer {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Decimal {
            #[inline]
            fn from(integer: $integer) -> Self {
                Self { coefficient: i128::from(integer), scale: 0 }
            }
        }
    )*};
}
from_integer!(i32, u32, i64, u64);
