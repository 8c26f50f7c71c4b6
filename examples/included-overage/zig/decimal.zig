//! Exact decimals by the contract's words: a coefficient of 96 bits and 0 to 28 digits after the point.
//!
//! A result that does not fit is an error, never a rounded number.

const std = @import("std");

pub const Error = error{TooLong};

const scale_max = 28;
const coefficient_end: i256 = 1 << 96;
const sign: u64 = 1 << 63;

pub const Decimal = struct {
    coefficient: i256,
    scale: u32,

    pub const zero = Decimal{ .coefficient = 0, .scale = 0 };
    pub const one = Decimal{ .coefficient = 1, .scale = 0 };

    pub fn parse(text: []const u8) ?Decimal {
        const negative = text.len > 0 and text[0] == '-';
        var value = zero;
        var pointed = false;
        var digit_before = false;
        for (text[@intFromBool(negative)..]) |letter| {
            if (letter == '.' and digit_before and !pointed) {
                pointed = true;
                digit_before = false;
                continue;
            }
            if (letter < '0' or letter > '9') return null;
            value.coefficient = value.coefficient * 10 + (letter - '0');
            value.scale += @intFromBool(pointed);
            digit_before = true;
            if (value.coefficient >= coefficient_end or value.scale > scale_max) return null;
        }
        if (!digit_before) return null;
        return if (negative) value.negated() else value;
    }

    pub fn fromWords(words: []const u64, row: usize) Decimal {
        const low = words[2 * row];
        const high = words[2 * row + 1];
        const magnitude = @as(i256, high & 0xffff_ffff) << 64 | low;
        return .{
            .coefficient = if (high & sign == 0) magnitude else -magnitude,
            .scale = @intCast(high >> 32 & 0xff),
        };
    }

    pub fn toWords(self: Decimal) [2]u64 {
        const magnitude = @abs(self.coefficient);
        const low: u64 = @truncate(magnitude);
        const high: u64 = @truncate(magnitude >> 64);
        return .{ low, high | @as(u64, self.scale) << 32 | if (self.isNegative()) sign else 0 };
    }

    pub fn isZero(self: Decimal) bool {
        return self.coefficient == 0;
    }

    pub fn isNegative(self: Decimal) bool {
        return self.coefficient < 0;
    }

    pub fn negated(self: Decimal) Decimal {
        return .{ .coefficient = -self.coefficient, .scale = self.scale };
    }

    pub fn plus(self: Decimal, other: Decimal) Error!Decimal {
        const scale = @max(self.scale, other.scale);
        return fit(self.at(scale) + other.at(scale), scale);
    }

    pub fn minus(self: Decimal, other: Decimal) Error!Decimal {
        return self.plus(other.negated());
    }

    pub fn times(self: Decimal, other: Decimal) Error!Decimal {
        return fit(self.coefficient * other.coefficient, self.scale + other.scale);
    }

    /// How much of this lies beyond a limit: the difference, or zero when it is below.
    pub fn beyond(self: Decimal, limit: Decimal) Error!Decimal {
        return if (self.isLess(limit) or self.equals(limit)) zero else self.minus(limit);
    }

    pub fn isLess(self: Decimal, other: Decimal) bool {
        const scale = @max(self.scale, other.scale);
        return self.at(scale) < other.at(scale);
    }

    pub fn equals(self: Decimal, other: Decimal) bool {
        return !self.isLess(other) and !other.isLess(self);
    }

    pub fn min(self: Decimal, other: Decimal) Decimal {
        return if (other.isLess(self)) other else self;
    }

    pub fn shortest(self: Decimal) Decimal {
        var shorter = self;
        while (shorter.scale > 0 and @rem(shorter.coefficient, 10) == 0) {
            shorter = .{ .coefficient = @divTrunc(shorter.coefficient, 10), .scale = shorter.scale - 1 };
        }
        return shorter;
    }

    /// Rounded half to even to nine places, as every amount that is charged.
    pub fn roundedToNano(self: Decimal) Decimal {
        if (self.scale <= 9) return self;
        const divisor = power(self.scale - 9);
        const magnitude: i256 = @intCast(@abs(self.coefficient));
        var quotient = @divTrunc(magnitude, divisor);
        const twice = @rem(magnitude, divisor) * 2;
        if (twice > divisor or (twice == divisor and @rem(quotient, 2) == 1)) quotient += 1;
        return .{ .coefficient = if (self.isNegative()) -quotient else quotient, .scale = 9 };
    }

    /// Both words of at most 96 bits leave room for 28 digits more.
    fn at(self: Decimal, scale: u32) i256 {
        return self.coefficient * power(scale - self.scale);
    }
};

fn power(exponent: u32) i256 {
    var result: i256 = 1;
    for (0..exponent) |_| result *= 10;
    return result;
}

fn fit(coefficient: i256, scale: u32) Error!Decimal {
    var longer = Decimal{ .coefficient = coefficient, .scale = scale };
    while (@abs(longer.coefficient) >= coefficient_end or longer.scale > scale_max) {
        if (longer.scale == 0 or @rem(longer.coefficient, 10) != 0) return error.TooLong;
        longer = .{ .coefficient = @divTrunc(longer.coefficient, 10), .scale = longer.scale - 1 };
    }
    return longer;
}
