BEGIN TRANSACTION;
CREATE TABLE component (name TEXT PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO "component" VALUES('registrations',1);
CREATE TABLE registered_tenant (
        did TEXT PRIMARY KEY,
        terms_hash TEXT,
        registered INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "registered_tenant" VALUES('did:dht:r3syjknpgsrs8n1ogk3yezbrixg366uspn86p69p3pt6aqz1m7fo','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796077732134957);
INSERT INTO "registered_tenant" VALUES('did:dht:wt7sby998iwnj48nqigy18rpot74mr6x9jiu8rgnm8m7jxqgyteo','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796077732082300);
COMMIT;
