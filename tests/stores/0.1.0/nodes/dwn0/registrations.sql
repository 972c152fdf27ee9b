BEGIN TRANSACTION;
CREATE TABLE component (name TEXT PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO "component" VALUES('registrations',1);
CREATE TABLE registered_tenant (
        did TEXT PRIMARY KEY,
        terms_hash TEXT,
        registered INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "registered_tenant" VALUES('did:dht:4hpngfsug7u15afb837jaxxupr69383iugempbcxdojwimpemzqo','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796058583998183);
INSERT INTO "registered_tenant" VALUES('did:dht:gt7i6gw8pcqgbpkzq6ez3nymrkybt6my3ogjun1z7zf8j5rpj7uo','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796058583850674);
COMMIT;
