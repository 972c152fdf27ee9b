BEGIN TRANSACTION;
CREATE TABLE component (name TEXT PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO "component" VALUES('registrations',1);
CREATE TABLE registered_tenant (
        did TEXT PRIMARY KEY,
        terms_hash TEXT,
        registered INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "registered_tenant" VALUES('did:dht:ot3xdfm1sqcs641sfaqeoihwfx4nfs9riogrw96yuu1u3hgnwxey','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796064793995118);
INSERT INTO "registered_tenant" VALUES('did:dht:wezzumkj7exce35nxxd4zqp88i4kj48zk7diq3hst48sdcgfefxy','5499befb38dbf3fcc08107141cb2a9e7f42a6aae403361dc3601b8296d7967ea',1796064793984228);
COMMIT;
