BEGIN TRANSACTION;
CREATE TABLE component (name TEXT PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO "component" VALUES('registrations',1);
CREATE TABLE registered_tenant (
        did TEXT PRIMARY KEY,
        terms_hash TEXT,
        registered INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "registered_tenant" VALUES('did:dht:qnr6ra9poahi8s4uu4feipuwhsycmnd7qi6mza77a63nor3w9bpy','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796061880162996);
INSERT INTO "registered_tenant" VALUES('did:dht:r63zzypc3oc9fk1wr89ntmbqp14hpx3fs3m196pcoukzfidweemy','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796061880019944);
COMMIT;
