BEGIN TRANSACTION;
CREATE TABLE component (name TEXT PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO "component" VALUES('registrations',1);
CREATE TABLE registered_tenant (
        did TEXT PRIMARY KEY,
        terms_hash TEXT,
        registered INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "registered_tenant" VALUES('did:dht:ccutnj66g9z84cxdfonby3nu6srkaxectr8j7zkbhpq48dos9qqo','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796144831147848);
INSERT INTO "registered_tenant" VALUES('did:dht:wukk1m3qawyixtkucoej9ebwayw8rd6d8f9gtgzc56zwdzrrmnoy','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796144831184401);
CREATE TABLE registration_secret (secret BLOB NOT NULL);
INSERT INTO "registration_secret" VALUES(X'944B9860EA2230AA3FF8D1BC2653B92BD922F892D554DCC30195003454668764');
COMMIT;
