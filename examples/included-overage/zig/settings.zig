//! What a tariff sets: its schema, its reading, and what may be wrong with it.

const std = @import("std");
const contract = @import("contract.zig");
const Decimal = @import("decimal.zig").Decimal;

pub const Period = struct { fee: Decimal = .zero, minimum: Decimal = .zero, cap: ?Decimal = null };

pub const Settings = struct {
    unit: []const u8 = "request",
    count: []const u8 = "events",
    included: Decimal = .zero,
    overage_price: Decimal = .zero,
    premium_routes: []const []const u8 = &.{},
    premium_features: []const []const u8 = &.{},
    premium_surcharge: Decimal = .zero,
    period: Period = .{},
};

const decimal_schema =
    \\{"type":"string","pattern":"^-?[0-9]{1,29}(\\.[0-9]{1,28})?$"}
;
const texts_schema =
    \\{"type":"array","items":{"type":"string"}}
;
pub const schema =
    \\{"type":"object","additionalProperties":false,"required":["overage_price"],"properties":{
    \\"unit":{"type":"string","default":"request"},"count":{"type":"string","default":"events"},
    \\"included":
++ decimal_schema ++ ",\"overage_price\":" ++ decimal_schema ++ ",\"premium_surcharge\":" ++ decimal_schema ++
    ",\"premium_routes\":" ++ texts_schema ++ ",\"premium_features\":" ++ texts_schema ++
    ",\"period\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"fee\":" ++ decimal_schema ++
    ",\"minimum\":" ++ decimal_schema ++ ",\"cap\":{\"anyOf\":[" ++ decimal_schema ++ ",{\"type\":\"null\"}]}}}}}";

/// Where a decimal has more digits than one can hold: the schema, which was applied before, cannot say that.
pub const Reading = struct { settings: Settings = .{}, too_long: ?[]const u8 = null };

pub fn read(text: []const u8) Reading {
    const value = std.json.parseFromSliceLeaky(std.json.Value, contract.memory, text, .{}) catch @trap();
    var reading = Reading{};
    readFields(Settings, value, "", &reading.settings, &reading);
    return reading;
}

fn readFields(comptime Fields: type, value: std.json.Value, comptime pointer: []const u8, into: *Fields, reading: *Reading) void {
    const fields = @typeInfo(Fields).@"struct";
    inline for (fields.field_names, fields.field_types) |name, Field| {
        if (value.object.get(name)) |given| {
            const place = pointer ++ "/" ++ name;
            switch (Field) {
                []const u8 => @field(into, name) = given.string,
                []const []const u8 => @field(into, name) = readTexts(given.array.items),
                Period => readFields(Period, given, place, &@field(into, name), reading),
                else => if (given == .string) {
                    if (Decimal.parse(given.string)) |decimal| {
                        @field(into, name) = decimal;
                    } else {
                        reading.too_long = place;
                    }
                },
            }
        }
    }
}

fn readTexts(values: []const std.json.Value) []const []const u8 {
    const texts = contract.memory.alloc([]const u8, values.len) catch @trap();
    for (texts, values) |*text, value| text.* = value.string;
    return texts;
}

pub fn problems(text: []const u8) []const contract.Problem {
    var found: std.ArrayList(contract.Problem) = .empty;
    const reading = read(text);
    const settings = reading.settings;
    const least = if (settings.period.fee.isLess(settings.period.minimum)) settings.period.minimum else settings.period.fee;
    const low_cap = if (settings.period.cap) |cap| cap.isLess(least) else false;
    if (reading.too_long) |pointer| {
        add(&found, true, pointer, "the decimal has more digits than an exact decimal can hold");
        return found.items;
    }
    add(&found, settings.unit.len == 0, "/unit", "the unit has no name; write what the customer sees, such as \"request\"");
    add(&found, settings.count.len == 0, "/count", "write \"events\", or the name of the measure to count");
    const negative = "it is negative; use zero or more";
    add(&found, settings.included.isNegative(), "/included", negative);
    add(&found, settings.overage_price.isNegative(), "/overage_price", negative);
    add(&found, settings.premium_surcharge.isNegative(), "/premium_surcharge", negative);
    add(&found, settings.period.fee.isNegative(), "/period/fee", negative);
    add(&found, settings.period.minimum.isNegative(), "/period/minimum", negative);
    add(&found, low_cap, "/period/cap", "it is less than a period costs at least; raise the cap");
    return found.items;
}

fn add(found: *std.ArrayList(contract.Problem), wrong: bool, pointer: []const u8, message: []const u8) void {
    if (wrong) found.append(contract.memory, .{ .pointer = .of(pointer), .message = .of(message) }) catch @trap();
}
