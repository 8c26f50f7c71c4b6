-- Words that recur (apps, customers, units, line codes, tariffs) are kept once. 0 is the empty word.
CREATE TABLE names (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO names (id, name) VALUES (0, '');

CREATE TABLE definitions (
    number INTEGER PRIMARY KEY,
    definition TEXT NOT NULL
) STRICT;

CREATE TABLE plugins (
    digest TEXT PRIMARY KEY,
    component BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- An event with the charge it got on arrival, if it got one. No row is ever deleted, so the numbers have
-- no gaps and the largest is how many there are. An id is text, or the 16 bytes of a UUID.
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY,
    app INTEGER NOT NULL,
    id ANY NOT NULL,
    fingerprint BLOB NOT NULL,
    received TEXT NOT NULL,
    charge BLOB,
    UNIQUE (app, id)
) STRICT;

-- Why an event without a charge waits.
CREATE TABLE holds (
    sequence INTEGER PRIMARY KEY REFERENCES events,
    cause TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;

-- The charge an event got after it was held.
CREATE TABLE releases (
    sequence INTEGER PRIMARY KEY REFERENCES events,
    charge BLOB NOT NULL
) STRICT;

-- Periods are year × 100 + month: 202311.
CREATE TABLE counters (
    id INTEGER PRIMARY KEY,
    app INTEGER NOT NULL,
    owner INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    label INTEGER NOT NULL,
    period INTEGER NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (app, owner, unit, label, period)
) STRICT;

CREATE TABLE seen (
    counter INTEGER NOT NULL REFERENCES counters,
    key TEXT NOT NULL,
    PRIMARY KEY (counter, key)
) STRICT, WITHOUT ROWID;

-- Sums of nano-units are whole numbers of up to 128 bits, as text. Lines: [["code","pico-units of quantity",
-- "nano-units"]].
CREATE TABLE statements (
    customer INTEGER NOT NULL,
    app INTEGER NOT NULL,
    period INTEGER NOT NULL,
    events INTEGER NOT NULL,
    network_cost TEXT NOT NULL,
    platform_fee TEXT NOT NULL,
    builder_earnings TEXT NOT NULL,
    lines TEXT NOT NULL,
    PRIMARY KEY (customer, app, period)
) STRICT, WITHOUT ROWID;

-- Kind 0 is a customer of an app, 1 a provider, 2 the platform, 3 a Builder.
CREATE TABLE balances (
    kind INTEGER NOT NULL,
    app INTEGER NOT NULL,
    name INTEGER NOT NULL,
    currency TEXT NOT NULL,
    debits_posted TEXT NOT NULL,
    credits_posted TEXT NOT NULL,
    PRIMARY KEY (kind, app, name, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE closings (
    number INTEGER PRIMARY KEY,
    app INTEGER NOT NULL,
    period INTEGER NOT NULL,
    UNIQUE (app, period)
) STRICT;

CREATE TABLE closing_charges (
    number INTEGER PRIMARY KEY,
    app INTEGER NOT NULL,
    customer INTEGER NOT NULL,
    charge BLOB NOT NULL
) STRICT;

-- What is posted is never changed, by this program or by anybody's hand.
CREATE TRIGGER names_keep_update BEFORE UPDATE ON names BEGIN SELECT RAISE(ABORT, 'names are never changed'); END;
CREATE TRIGGER names_keep_delete BEFORE DELETE ON names BEGIN SELECT RAISE(ABORT, 'names are never deleted'); END;
CREATE TRIGGER definitions_keep_update BEFORE UPDATE ON definitions BEGIN SELECT RAISE(ABORT, 'definitions are never changed'); END;
CREATE TRIGGER definitions_keep_delete BEFORE DELETE ON definitions BEGIN SELECT RAISE(ABORT, 'definitions are never deleted'); END;
CREATE TRIGGER plugins_keep_update BEFORE UPDATE ON plugins BEGIN SELECT RAISE(ABORT, 'plugins are never changed'); END;
CREATE TRIGGER plugins_keep_delete BEFORE DELETE ON plugins BEGIN SELECT RAISE(ABORT, 'plugins are never deleted'); END;
CREATE TRIGGER events_keep_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_keep_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
CREATE TRIGGER releases_keep_update BEFORE UPDATE ON releases BEGIN SELECT RAISE(ABORT, 'charges are never changed'); END;
CREATE TRIGGER releases_keep_delete BEFORE DELETE ON releases BEGIN SELECT RAISE(ABORT, 'charges are never deleted'); END;
CREATE TRIGGER seen_keep_update BEFORE UPDATE ON seen BEGIN SELECT RAISE(ABORT, 'counted keys are never changed'); END;
CREATE TRIGGER seen_keep_delete BEFORE DELETE ON seen BEGIN SELECT RAISE(ABORT, 'counted keys are never deleted'); END;
CREATE TRIGGER closings_keep_update BEFORE UPDATE ON closings BEGIN SELECT RAISE(ABORT, 'closings are never changed'); END;
CREATE TRIGGER closings_keep_delete BEFORE DELETE ON closings BEGIN SELECT RAISE(ABORT, 'closings are never deleted'); END;
CREATE TRIGGER closing_charges_keep_update BEFORE UPDATE ON closing_charges BEGIN SELECT RAISE(ABORT, 'charges are never changed'); END;
CREATE TRIGGER closing_charges_keep_delete BEFORE DELETE ON closing_charges BEGIN SELECT RAISE(ABORT, 'charges are never deleted'); END;

-- A hold ends only by the charge of its event, and only what is held is charged later.
CREATE TRIGGER releases_need_hold BEFORE INSERT ON releases
    WHEN NOT EXISTS (SELECT 1 FROM holds WHERE sequence = NEW.sequence)
    BEGIN SELECT RAISE(ABORT, 'the event is not held'); END;
CREATE TRIGGER holds_keep_update BEFORE UPDATE ON holds BEGIN SELECT RAISE(ABORT, 'holds are never changed'); END;
CREATE TRIGGER holds_keep_delete BEFORE DELETE ON holds
    WHEN NOT EXISTS (SELECT 1 FROM releases WHERE sequence = OLD.sequence)
    BEGIN SELECT RAISE(ABORT, 'a hold ends only by a charge'); END;

-- Sums move, but what they are sums of does not.
CREATE TRIGGER counters_keep_key BEFORE UPDATE OF id, app, owner, unit, label, period ON counters
    BEGIN SELECT RAISE(ABORT, 'a counter never becomes another'); END;
CREATE TRIGGER counters_keep_delete BEFORE DELETE ON counters BEGIN SELECT RAISE(ABORT, 'counters are never deleted'); END;
CREATE TRIGGER balances_keep_key BEFORE UPDATE OF kind, app, name, currency ON balances
    BEGIN SELECT RAISE(ABORT, 'a balance never becomes another'); END;
CREATE TRIGGER balances_keep_delete BEFORE DELETE ON balances BEGIN SELECT RAISE(ABORT, 'balances are never deleted'); END;
CREATE TRIGGER statements_keep_key BEFORE UPDATE OF customer, app, period ON statements
    BEGIN SELECT RAISE(ABORT, 'a statement never becomes another'); END;
CREATE TRIGGER statements_keep_delete BEFORE DELETE ON statements BEGIN SELECT RAISE(ABORT, 'statements are never deleted'); END;
CREATE TRIGGER statements_keep_closed BEFORE UPDATE ON statements
    WHEN EXISTS (SELECT 1 FROM closings WHERE app = OLD.app AND period = OLD.period)
    BEGIN SELECT RAISE(ABORT, 'the statements of a closed period are never changed'); END;
CREATE TRIGGER statements_keep_closed_insert BEFORE INSERT ON statements
    WHEN EXISTS (SELECT 1 FROM closings WHERE app = NEW.app AND period = NEW.period)
    BEGIN SELECT RAISE(ABORT, 'a closed period gets no more statements'); END;
