BEGIN TRANSACTION;
CREATE TABLE component (name TEXT PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO "component" VALUES('registrations',1);
CREATE TABLE registered_tenant (
        did TEXT PRIMARY KEY,
        terms_hash TEXT,
        registered INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "registered_tenant" VALUES('did:dht:om36cjsi1kh8a3p4dka7pfaafas4w4dqusih3erxc6iezu1bubey','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796076314438659);
INSERT INTO "registered_tenant" VALUES('did:dht:rgjndiw1747kuzxetwordodos68hxqtqi8quo8tampzidpff745y','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796076314480022);
COMMIT;
