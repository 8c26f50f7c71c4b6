//! The contract's records as they lie in memory, by the canonical ABI: a list or text is a pointer and a length.
//!
//! Everything is allocated from one arena that is never freed: an instance lives for one batch.

const std = @import("std");

var arena = std.heap.ArenaAllocator.init(std.heap.wasm_allocator);
pub const memory = arena.allocator();

pub fn List(comptime Item: type) type {
    return extern struct {
        pointer: [*]const Item,
        length: usize,

        pub fn of(list: []const Item) @This() {
            // The host wants a place inside the memory even for nothing.
            const nowhere: [*]const Item = @ptrFromInt(@alignOf(Item));
            return .{ .pointer = if (list.len == 0) nowhere else list.ptr, .length = list.len };
        }

        pub fn items(self: @This()) []const Item {
            return self.pointer[0..self.length];
        }
    };
}
pub const Text = List(u8);

pub const Unit = extern struct { name: Text, aggregation: u8, pooled: bool, group_by: List(Text) };
pub const Line = extern struct { code: Text, title: Text, unit: Text, kind: u8 };
pub const Refusal = extern struct { event: u32, code: u32, detail: Text };
pub const RefusalCode = extern struct { code: Text, title: Text };
pub const Problem = extern struct { pointer: Text, message: Text };
pub const Fault = extern struct { event: u32, message: Text };
pub const Descriptor = extern struct {
    name: Text,
    version: Text,
    summary: Text,
    units: List(Unit),
    lines: List(Line),
    refusals: List(RefusalCode),
    settings_schema: Text,
};
pub const TextColumn = extern struct { name: Text, ids: List(u32) };
pub const NumberColumn = extern struct { name: Text, words: List(u64) };
pub const Frame = extern struct {
    rows: u32,
    strings: List(Text),
    times: List(i64),
    texts: List(TextColumn),
    numbers: List(NumberColumn),

    /// A row's text; empty where the column is missing.
    pub fn text(self: *const Frame, name: []const u8, row: usize) []const u8 {
        for (self.texts.items()) |column| {
            if (std.mem.eql(u8, column.name.items(), name)) {
                return self.strings.items()[column.ids.items()[row]].items();
            }
        }
        return "";
    }

    /// The words of a number column; none where it is missing.
    pub fn number(self: *const Frame, prefix: []const u8, name: []const u8) ?[]const u64 {
        for (self.numbers.items()) |column| {
            const column_name = column.name.items();
            if (std.mem.startsWith(u8, column_name, prefix) and std.mem.eql(u8, column_name[prefix.len..], name)) {
                return column.words.items();
            }
        }
        return null;
    }
};
pub const Metered = extern struct {
    counts: List(u32),
    units: List(u32),
    keys: List(u32),
    quantities: List(u64),
    strings: List(Text),
    faults: List(Fault),
};
pub const Counted = extern struct {
    counts: List(u32),
    units: List(u32),
    quantities: List(u64),
    before: List(u64),
    after: List(u64),
};
pub const Rated = extern struct {
    counts: List(u32),
    lines: List(u32),
    quantities: List(u64),
    unit_prices: List(u64),
    amounts: List(u64),
    refusals: List(Refusal),
    faults: List(Fault),
};
pub const Totals = extern struct {
    counts: List(u32),
    units: List(u32),
    groups: List(u32),
    totals: List(u64),
};

/// An answer, where the host will read it.
pub fn answer(value: anytype) *const @TypeOf(value) {
    const place = memory.create(@TypeOf(value)) catch @trap();
    place.* = value;
    return place;
}

/// What the host calls for room to write its arguments into.
export fn cabi_realloc(old: ?[*]u8, old_size: usize, alignment: usize, new_size: usize) [*]u8 {
    const place = memory.rawAlloc(new_size, .fromByteUnits(alignment), 0) orelse @trap();
    if (old) |bytes| @memcpy(place[0..old_size], bytes[0..old_size]);
    return place;
}
