//! `included-overage` in Zig, without any SDK: only the contract, and the vectors to try it with.
//!
//! So many units a period cost nothing, each one beyond costs the same. A unit is an event, or whatever one of the
//! event's measures counts. Events of a premium route or feature cost something more.

const std = @import("std");
const contract = @import("contract.zig");
const settings_of = @import("settings.zig");
const Decimal = @import("decimal.zig").Decimal;

const memory = contract.memory;
const List = contract.List;
const Settings = settings_of.Settings;
const Error = error{ TooLong, NoQuantity };

const code = struct {
    const included = 0;
    const overage = 1;
    const premium = 2;
    const fee = 3;
    const minimum = 4;
    const cap = 5;
};
const kind_charge = 0;
const kind_credit = 1;

export fn @"tollgate:pricing/plugin@0.1.0#describe"() *const contract.Descriptor {
    const units = [_]contract.Unit{ unit("/unit"), unit("premium request"), unit("period") };
    const lines = [_]contract.Line{
        line("included", "Within what is included", "/unit", kind_charge),
        line("overage", "Beyond what is included", "/unit", kind_charge),
        line("premium", "Premium requests", "premium request", kind_charge),
        line("fee", "Fee for the period", "period", kind_charge),
        line("minimum", "Up to the minimum", "period", kind_charge),
        line("cap", "Beyond the spend cap", "period", kind_credit),
    };
    return contract.answer(contract.Descriptor{
        .name = .of("included-overage-zig"),
        .version = .of("0.1.0"),
        .summary = .of("Includes a number of units a period and charges each one beyond them."),
        .units = .of(memory.dupe(contract.Unit, &units) catch @trap()),
        .lines = .of(memory.dupe(contract.Line, &lines) catch @trap()),
        .refusals = .of(&.{}),
        .settings_schema = .of(settings_of.schema),
    });
}

fn unit(name: []const u8) contract.Unit {
    return .{ .name = .of(name), .aggregation = 0, .pooled = false, .group_by = .of(&.{}) };
}

fn line(line_code: []const u8, title: []const u8, of_unit: []const u8, kind: u8) contract.Line {
    return .{ .code = .of(line_code), .title = .of(title), .unit = .of(of_unit), .kind = kind };
}

export fn @"tollgate:pricing/plugin@0.1.0#check"(text: [*]const u8, length: usize) *const List(contract.Problem) {
    return contract.answer(List(contract.Problem).of(settings_of.problems(text[0..length])));
}

/// The arguments are few enough to come one by one: the settings, and each field of the frame.
export fn @"tollgate:pricing/plugin@0.1.0#meter"(
    text: [*]const u8,
    length: usize,
    rows: u32,
    strings: [*]const contract.Text,
    strings_length: usize,
    times: [*]const i64,
    times_length: usize,
    texts: [*]const contract.TextColumn,
    texts_length: usize,
    numbers: [*]const contract.NumberColumn,
    numbers_length: usize,
) *const contract.Metered {
    const frame = contract.Frame{
        .rows = rows,
        .strings = .{ .pointer = strings, .length = strings_length },
        .times = .{ .pointer = times, .length = times_length },
        .texts = .{ .pointer = texts, .length = texts_length },
        .numbers = .{ .pointer = numbers, .length = numbers_length },
    };
    const settings = settings_of.read(text[0..length]).settings;
    const counts_events = std.mem.eql(u8, settings.count, "events");
    const measure = frame.number("measure:", settings.count);
    var counts: std.ArrayList(u32) = .empty;
    var quantities: std.ArrayList(u64) = .empty;
    var faults: std.ArrayList(contract.Fault) = .empty;
    for (0..rows) |row| {
        const value: Decimal = if (counts_events) .one else if (measure) |words| .fromWords(words, row) else .zero;
        if (quantityOf(value)) |quantity| {
            counts.append(memory, @intFromBool(!value.isZero())) catch @trap();
            if (!value.isZero()) quantities.appendSlice(memory, &quantity.toWords()) catch @trap();
        } else |failure| {
            counts.append(memory, 0) catch @trap();
            faults.append(memory, faultOf(row, failure)) catch @trap();
        }
    }
    const zeros = memory.alloc(u32, quantities.items.len / 2) catch @trap();
    @memset(zeros, 0);
    return contract.answer(contract.Metered{
        .counts = .of(counts.items),
        .units = .of(zeros),
        .keys = .of(zeros),
        .quantities = .of(quantities.items),
        .strings = .of(&.{}),
        .faults = .of(faults.items),
    });
}

/// A quantity in a form that the contract allows: not negative, and no more than twelve places.
fn quantityOf(value: Decimal) Error!Decimal {
    if (value.isNegative()) return error.NoQuantity;
    if (value.scale <= 12) return value;
    const shortest = value.shortest();
    return if (shortest.scale <= 12) shortest else error.NoQuantity;
}

fn faultOf(row: usize, failure: Error) contract.Fault {
    const message = switch (failure) {
        error.TooLong => "a result has more digits than an exact decimal can hold",
        error.NoQuantity => "the quantity is negative, or has more than twelve digits after the point",
    };
    return .{ .event = @intCast(row), .message = .of(message) };
}

/// Lines of the batch, event by event.
const Bill = struct {
    counts: std.ArrayList(u32) = .empty,
    lines: std.ArrayList(u32) = .empty,
    quantities: std.ArrayList(u64) = .empty,
    unit_prices: std.ArrayList(u64) = .empty,
    amounts: std.ArrayList(u64) = .empty,
    faults: std.ArrayList(contract.Fault) = .empty,
    start: usize = 0,

    fn add(self: *Bill, line_code: u32, quantity: Decimal, unit_price: Decimal, amount: Decimal) Error!void {
        const words = (try quantityOf(quantity)).toWords();
        self.lines.append(memory, line_code) catch @trap();
        self.quantities.appendSlice(memory, &words) catch @trap();
        self.unit_prices.appendSlice(memory, &unit_price.toWords()) catch @trap();
        self.amounts.appendSlice(memory, &amount.toWords()) catch @trap();
    }

    fn endEvent(self: *Bill, row: usize, outcome: Error!void) void {
        outcome catch |failure| {
            self.lines.shrinkRetainingCapacity(self.start);
            self.quantities.shrinkRetainingCapacity(2 * self.start);
            self.unit_prices.shrinkRetainingCapacity(2 * self.start);
            self.amounts.shrinkRetainingCapacity(2 * self.start);
            self.faults.append(memory, faultOf(row, failure)) catch @trap();
        };
        self.counts.append(memory, @intCast(self.lines.items.len - self.start)) catch @trap();
        self.start = self.lines.items.len;
    }

    fn finish(self: *Bill) *const contract.Rated {
        return contract.answer(contract.Rated{
            .counts = .of(self.counts.items),
            .lines = .of(self.lines.items),
            .quantities = .of(self.quantities.items),
            .unit_prices = .of(self.unit_prices.items),
            .amounts = .of(self.amounts.items),
            .refusals = .of(&.{}),
            .faults = .of(self.faults.items),
        });
    }
};

/// The arguments are too many to come one by one, and lie together in memory.
const RateArguments = extern struct { settings: contract.Text, frame: contract.Frame, counted: contract.Counted };

export fn @"tollgate:pricing/plugin@0.1.0#rate"(arguments: *const RateArguments) *const contract.Rated {
    const settings = settings_of.read(arguments.settings.items()).settings;
    var bill = Bill{};
    var start: usize = 0;
    for (arguments.counted.counts.items(), 0..) |count, row| {
        bill.endEvent(row, rateEvent(&settings, arguments, row, start, start + count, &bill));
        start += count;
    }
    return bill.finish();
}

fn rateEvent(settings: *const Settings, arguments: *const RateArguments, row: usize, start: usize, end: usize, bill: *Bill) Error!void {
    if (start < end) {
        // Only one unit is ever counted, so the event's rows are one step of its counter.
        const before = Decimal.fromWords(arguments.counted.before.items(), start);
        const after = Decimal.fromWords(arguments.counted.after.items(), end - 1);
        const included = settings.included;
        const within = try after.min(included).minus(before.min(included));
        if (!within.isZero()) try bill.add(code.included, within, .zero, .zero);
        const grown = try after.minus(before);
        const beyond = try grown.minus(within);
        if (!beyond.isZero()) {
            const total_after = try (try after.beyond(included)).times(settings.overage_price);
            const total_before = try (try before.beyond(included)).times(settings.overage_price);
            const amount = try total_after.roundedToNano().minus(total_before.roundedToNano());
            try bill.add(code.overage, beyond, settings.overage_price, amount);
        }
    }
    const is_premium = contains(settings.premium_routes, arguments.frame.text("route", row)) or
        contains(settings.premium_features, arguments.frame.text("feature", row));
    if (is_premium) try bill.add(code.premium, .one, settings.premium_surcharge, settings.premium_surcharge);
}

fn contains(texts: []const []const u8, wanted: []const u8) bool {
    for (texts) |text| {
        if (std.mem.eql(u8, text, wanted)) return true;
    }
    return false;
}

const CloseArguments = extern struct { settings: contract.Text, frame: contract.Frame, totals: contract.Totals };

export fn @"tollgate:pricing/plugin@0.1.0#close"(arguments: *const CloseArguments) *const contract.Rated {
    const period = settings_of.read(arguments.settings.items()).settings.period;
    const charged = arguments.frame.number("", "charged");
    var bill = Bill{};
    for (0..arguments.frame.rows) |row| {
        const so_far: Decimal = if (charged) |words| .fromWords(words, row) else .zero;
        bill.endEvent(row, closePeriod(period, so_far, &bill));
    }
    return bill.finish();
}

/// Over a period, a customer is charged min(cap, max(minimum, fee + usage)).
fn closePeriod(period: settings_of.Period, charged: Decimal, bill: *Bill) Error!void {
    const total = try charged.plus(period.fee);
    const missing = if (period.minimum.isZero()) Decimal.zero else try period.minimum.beyond(total);
    const excess = if (period.cap) |cap| try total.beyond(cap) else Decimal.zero;
    if (!period.fee.isZero()) try bill.add(code.fee, .one, .zero, period.fee);
    if (!missing.isZero()) try bill.add(code.minimum, .one, .zero, missing);
    if (!excess.isZero()) try bill.add(code.cap, .one, .zero, excess.negated());
}
