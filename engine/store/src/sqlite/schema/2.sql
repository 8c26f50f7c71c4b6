-- Where each event stands in its customer's history, so that a page of it is read without walking the others.
-- The period is 0 while the event is held. Schema 1 had no such rows: a step in Rust adds those of its events.
-- A foreign key would look the event up again for each row, just after it was written.
CREATE TABLE placements (
    app INTEGER NOT NULL,
    customer INTEGER NOT NULL,
    period INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (app, customer, period, sequence)
) STRICT, WITHOUT ROWID;

-- Events taken back. A charged one has its reversal; a held one has the cause and message of its hold, which
-- ends with it. They are numbered without gaps, and each row says how many held ones there are up to it: the
-- last one counts them all.
CREATE TABLE voids (
    sequence INTEGER PRIMARY KEY REFERENCES events,
    number INTEGER NOT NULL UNIQUE,
    number_held INTEGER NOT NULL,
    charge BLOB,
    cause TEXT,
    message TEXT,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    CHECK ((charge IS NULL) = (cause IS NOT NULL) AND (cause IS NULL) = (message IS NULL))
) STRICT;

-- Each time a key stopped being counted, because the event that it was counted for was taken back.
CREATE TABLE unseen (
    number INTEGER PRIMARY KEY,
    counter INTEGER NOT NULL REFERENCES counters,
    key TEXT NOT NULL
) STRICT;

-- Who may do what. A digest is SHA-256 of the whole key, a scope is JSON, times are milliseconds since 1970.
CREATE TABLE keys (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER
) STRICT;

-- What was answered to requests with an Idempotency-Key, until it is forgotten.
CREATE TABLE answers (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request BLOB NOT NULL CHECK (length(request) = 32),
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    answered_at INTEGER NOT NULL,
    UNIQUE (key, idempotency_key)
) STRICT;
CREATE INDEX answers_by_time ON answers (answered_at);

-- A placement moves once: when its event, which was held, is charged.
CREATE TRIGGER placements_keep_update BEFORE UPDATE ON placements BEGIN SELECT RAISE(ABORT, 'placements are never changed'); END;
CREATE TRIGGER placements_keep_delete BEFORE DELETE ON placements
    WHEN OLD.period <> 0 OR NOT EXISTS (SELECT 1 FROM releases WHERE sequence = OLD.sequence)
    BEGIN SELECT RAISE(ABORT, 'a placement moves only when its held event is charged'); END;

-- An event is taken back once, and with all that was charged.
CREATE TRIGGER voids_keep_update BEFORE UPDATE ON voids BEGIN SELECT RAISE(ABORT, 'voids are never changed'); END;
CREATE TRIGGER voids_keep_delete BEFORE DELETE ON voids BEGIN SELECT RAISE(ABORT, 'voids are never deleted'); END;
CREATE TRIGGER voids_need_event BEFORE INSERT ON voids
    WHEN NOT EXISTS (SELECT 1 FROM events WHERE sequence = NEW.sequence)
    BEGIN SELECT RAISE(ABORT, 'only an event that is there is taken back'); END;
CREATE TRIGGER voids_need_reversal BEFORE INSERT ON voids
    WHEN (NEW.charge IS NULL) <> EXISTS (SELECT 1 FROM holds WHERE sequence = NEW.sequence)
    BEGIN SELECT RAISE(ABORT, 'only a held event is taken back without a reversal'); END;

-- A hold ends by the charge of its event, or with the event itself.
DROP TRIGGER holds_keep_delete;
CREATE TRIGGER holds_keep_delete BEFORE DELETE ON holds
    WHEN NOT EXISTS (SELECT 1 FROM releases WHERE sequence = OLD.sequence)
        AND NOT EXISTS (SELECT 1 FROM voids WHERE sequence = OLD.sequence)
    BEGIN SELECT RAISE(ABORT, 'a hold ends only by a charge or with its event'); END;

-- A counted key goes only together with the newest entry of `unseen`, which stays.
DROP TRIGGER seen_keep_delete;
CREATE TRIGGER seen_keep_delete BEFORE DELETE ON seen
    WHEN NOT EXISTS (
        SELECT 1 FROM unseen
        WHERE number = (SELECT max(number) FROM unseen) AND counter = OLD.counter AND key = OLD.key
    )
    BEGIN SELECT RAISE(ABORT, 'a counted key goes only with an entry that says so'); END;
CREATE TRIGGER unseen_need_seen BEFORE INSERT ON unseen
    WHEN NOT EXISTS (SELECT 1 FROM seen WHERE counter = NEW.counter AND key = NEW.key)
    BEGIN SELECT RAISE(ABORT, 'only a counted key stops being counted'); END;
CREATE TRIGGER unseen_keep_update BEFORE UPDATE ON unseen BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER unseen_keep_delete BEFORE DELETE ON unseen BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;

-- A key is what it was made; revoked, it stays so.
CREATE TRIGGER keys_keep_key BEFORE UPDATE OF number, id, name, scope, digest, created_at, expires_at ON keys
    BEGIN SELECT RAISE(ABORT, 'a key never becomes another'); END;
CREATE TRIGGER keys_keep_revoked BEFORE UPDATE OF revoked_at ON keys
    WHEN OLD.revoked_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'a revoked key is never opened again'); END;
CREATE TRIGGER keys_keep_delete BEFORE DELETE ON keys BEGIN SELECT RAISE(ABORT, 'keys are never deleted'); END;
CREATE TRIGGER answers_keep_update BEFORE UPDATE ON answers BEGIN SELECT RAISE(ABORT, 'answers are never changed'); END;
