BEGIN TRANSACTION;
CREATE TABLE component (name TEXT PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO "component" VALUES('registrations',1);
CREATE TABLE registered_tenant (
        did TEXT PRIMARY KEY,
        terms_hash TEXT,
        registered INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "registered_tenant" VALUES('did:dht:ccutnj66g9z84cxdfonby3nu6srkaxectr8j7zkbhpq48dos9qqo','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796144831123792);
INSERT INTO "registered_tenant" VALUES('did:dht:wukk1m3qawyixtkucoej9ebwayw8rd6d8f9gtgzc56zwdzrrmnoy','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796144831164039);
CREATE TABLE registration_secret (secret BLOB NOT NULL);
INSERT INTO "registration_secret" VALUES(X'C6F8B85A6AAF235C3C92188E2B5E65BF640F497956F7E465C9FE4DE3A645C17D');
COMMIT;
