BEGIN TRANSACTION;
CREATE TABLE component (name TEXT PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO "component" VALUES('registrations',1);
CREATE TABLE registered_tenant (
        did TEXT PRIMARY KEY,
        terms_hash TEXT,
        registered INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "registered_tenant" VALUES('did:dht:ci8oxxh6zneeeabxgckr4py3e1ktgmz9fb8zuhq3sbo364ptdwuo','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796078344765018);
INSERT INTO "registered_tenant" VALUES('did:dht:gwd3p9cy1sn5kwooe7r1xoye89hh693735anrihz4zojdnwjtk3o','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796078344670869);
COMMIT;
