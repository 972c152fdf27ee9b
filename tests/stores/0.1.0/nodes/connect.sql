BEGIN TRANSACTION;
CREATE TABLE component (name TEXT PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO "component" VALUES('connect',1);
CREATE TABLE left_to_connect (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        text TEXT NOT NULL,
        address TEXT NOT NULL,
        expires INTEGER NOT NULL,
        PRIMARY KEY (kind, name)
    ) WITHOUT ROWID;
CREATE INDEX left_to_connect_by_expires ON left_to_connect (expires);
CREATE INDEX left_to_connect_by_address ON left_to_connect (address);
COMMIT;
