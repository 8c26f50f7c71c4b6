-- What is asked about one app is read without walking what the others have.
CREATE INDEX statements_by_app ON statements (app, period);

-- Whose app a held event is of. An index ends with the row's number, so each app's are in order.
DROP TRIGGER holds_keep_update;
ALTER TABLE holds ADD COLUMN app INTEGER NOT NULL DEFAULT 0;
UPDATE holds SET app = (SELECT app FROM events WHERE events.sequence = holds.sequence);
CREATE INDEX holds_by_app ON holds (app);
CREATE TRIGGER holds_keep_update BEFORE UPDATE ON holds BEGIN SELECT RAISE(ABORT, 'holds are never changed'); END;

-- The period of what a close charged. A step in Rust reads it from the charges of older rows, which have 0 until
-- then.
DROP TRIGGER closing_charges_keep_update;
ALTER TABLE closing_charges ADD COLUMN period INTEGER NOT NULL DEFAULT 0;
CREATE INDEX closing_charges_by_app ON closing_charges (app, period);
CREATE TRIGGER closing_charges_keep_update BEFORE UPDATE ON closing_charges
    WHEN OLD.period <> 0
    BEGIN SELECT RAISE(ABORT, 'charges are never changed'); END;

-- The id of the event that corrects one that was taken back.
ALTER TABLE voids ADD COLUMN replacement TEXT;

-- Where a reversal is posted to another period than its event's, which was closed: the reversal's period, and the
-- event's number. Of what older databases took back, a step in Rust adds them.
CREATE TABLE late_reversals (
    app INTEGER NOT NULL,
    customer INTEGER NOT NULL,
    period INTEGER NOT NULL,
    sequence INTEGER NOT NULL REFERENCES voids,
    PRIMARY KEY (app, customer, period, sequence)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER late_reversals_keep_update BEFORE UPDATE ON late_reversals BEGIN SELECT RAISE(ABORT, 'reversals are never changed'); END;
CREATE TRIGGER late_reversals_keep_delete BEFORE DELETE ON late_reversals BEGIN SELECT RAISE(ABORT, 'reversals are never deleted'); END;
