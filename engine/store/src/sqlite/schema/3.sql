-- What holds reserve, and what a statement's charges were covered by. Older rows have none of it.
ALTER TABLE balances ADD COLUMN debits_pending TEXT NOT NULL DEFAULT '0';
ALTER TABLE balances ADD COLUMN credits_pending TEXT NOT NULL DEFAULT '0';
ALTER TABLE statements ADD COLUMN from_granted TEXT NOT NULL DEFAULT '0';
ALTER TABLE statements ADD COLUMN from_paid TEXT NOT NULL DEFAULT '0';

-- More kinds of accounts, in `balances` as in `entry_owners`: 4 is a customer's own money, 5 credit granted to a
-- customer, 6 money held by a payment provider or bank, 7 a Builder's payouts on their way, 8 a Builder's reserve.

-- Money that moved otherwise than by a charge. Postings and requests are JSON, times milliseconds since 1970. No
-- row is ever deleted, so the numbers have no gaps.
CREATE TABLE entries (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    reverses TEXT,
    postings TEXT NOT NULL,
    request TEXT NOT NULL
) STRICT;

-- Whose accounts each entry posts to, so that a page of one owner's is read without walking the others.
CREATE TABLE entry_owners (
    kind INTEGER NOT NULL,
    app INTEGER NOT NULL,
    name INTEGER NOT NULL,
    entry INTEGER NOT NULL REFERENCES entries,
    PRIMARY KEY (kind, app, name, entry)
) STRICT, WITHOUT ROWID;

-- Small documents that change: wallets, holds, payments, payouts. A body is JSON. The owner and id are text, not
-- names: records are listed in their order, and most ids do not recur.
CREATE TABLE records (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    due INTEGER,
    body TEXT NOT NULL,
    UNIQUE (kind, owner, id)
) STRICT;
CREATE INDEX records_by_due ON records (kind, due, owner, id) WHERE due IS NOT NULL;
CREATE INDEX records_by_owner_due ON records (kind, owner, due, id) WHERE due IS NOT NULL;

-- What somebody wants to be told of. Data is JSON. The numbers have no gaps.
CREATE TABLE notices (
    number INTEGER PRIMARY KEY,
    builder TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL
) STRICT;

-- What is posted or told is never changed.
CREATE TRIGGER entries_keep_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER entries_keep_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER entry_owners_keep_update BEFORE UPDATE ON entry_owners BEGIN SELECT RAISE(ABORT, 'the owners of entries are never changed'); END;
CREATE TRIGGER entry_owners_keep_delete BEFORE DELETE ON entry_owners BEGIN SELECT RAISE(ABORT, 'the owners of entries are never deleted'); END;
CREATE TRIGGER notices_keep_update BEFORE UPDATE ON notices BEGIN SELECT RAISE(ABORT, 'notices are never changed'); END;
CREATE TRIGGER notices_keep_delete BEFORE DELETE ON notices BEGIN SELECT RAISE(ABORT, 'notices are never deleted'); END;

-- A record moves on step by step from the first version, and stays the record that it is.
CREATE TRIGGER records_begin BEFORE INSERT ON records
    WHEN NEW.version <> 1
    BEGIN SELECT RAISE(ABORT, 'a record begins only at version 1'); END;
CREATE TRIGGER records_keep_key BEFORE UPDATE OF number, kind, owner, id ON records
    BEGIN SELECT RAISE(ABORT, 'a record never becomes another'); END;
CREATE TRIGGER records_keep_version BEFORE UPDATE ON records
    WHEN NEW.version <> OLD.version + 1
    BEGIN SELECT RAISE(ABORT, 'a record changes only together with its version'); END;
CREATE TRIGGER records_keep_delete BEFORE DELETE ON records BEGIN SELECT RAISE(ABORT, 'records are never deleted'); END;
