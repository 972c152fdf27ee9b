BEGIN TRANSACTION;
CREATE TABLE component (name TEXT PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO "component" VALUES('registrations',1);
CREATE TABLE registered_tenant (
        did TEXT PRIMARY KEY,
        terms_hash TEXT,
        registered INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "registered_tenant" VALUES('did:dht:46a3xs4nya3arcoj1uupacfeaykbkwemcd3agxj7oa15wj5p431o','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796063053819360);
INSERT INTO "registered_tenant" VALUES('did:dht:gt7qspndgm39iq59xsx814h6yrkx7onmyprego5w9rr1t81iib5o','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796063053908139);
COMMIT;
