BEGIN TRANSACTION;
CREATE TABLE reportflow_entry (
	position INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	record_id VARCHAR(255) NOT NULL, 
	sequence INTEGER NOT NULL, 
	"trigger" VARCHAR(255) NOT NULL, 
	source VARCHAR(255), 
	dest VARCHAR(255) NOT NULL, 
	actor_id VARCHAR(255) NOT NULL, 
	actor TEXT NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	recorded_at VARCHAR(32) NOT NULL, 
	reason TEXT NOT NULL, 
	details TEXT, 
	"key" VARCHAR(255), 
	cause VARCHAR(255), 
	party VARCHAR(255), 
	level VARCHAR(255), 
	code VARCHAR(255), 
	CONSTRAINT reportflow_entry_sequence UNIQUE (record_id, sequence), 
	CONSTRAINT reportflow_entry_key UNIQUE (actor_id, "key"), 
	FOREIGN KEY(record_id) REFERENCES reportflow_record (id)
);
INSERT INTO "reportflow_entry" VALUES(1,'r1',1,'create',NULL,'draft','li','{"id":"li","name":"李某","roles":["contributor","editor"],"unit":"yulin","clearance":"internal","kind":"person","on_behalf_of":null}','2022-03-01T09:00:00.000000+00:00','2022-03-01T09:00:00.000000+00:00','','{"$type":"reportflow.Report","id":"r1","kind":"report","state":"","version":0,"lifecycle_version":1,"unit":"yulin","parent":null,"category":"","assignee":null,"due_at":null,"secrecy":"internal","created_by":"li","created_at":"2022-03-01T09:00:00.000000+00:00","updated_at":null,"title":"路灯","text":"八盏路灯不亮。","authors":[{"name":"钱某","id":"qian","unit":"","level":null}],"number":"","source":"member","topics":["transport"],"attachments":[],"commission":null,"origin":"","merged_into":null,"credits":[],"revision":0,"edited_by":null}','k1',NULL,NULL,NULL,'member');
INSERT INTO "reportflow_entry" VALUES(2,'r2',1,'create',NULL,'draft','li','{"id":"li","name":"李某","roles":["contributor","editor"],"unit":"yulin","clearance":"internal","kind":"person","on_behalf_of":null}','2022-03-01T10:00:00.000000+00:00','2022-03-01T10:00:00.000000+00:00','','{"$type":"reportflow.Report","id":"r2","kind":"report","state":"","version":0,"lifecycle_version":1,"unit":"yulin","parent":null,"category":"","assignee":null,"due_at":null,"secrecy":"internal","created_by":"li","created_at":"2022-03-01T10:00:00.000000+00:00","updated_at":null,"title":"Lamps","text":"x","authors":[{"name":"Z","id":"zhao","unit":"","level":null}],"number":"","source":"member","topics":[],"attachments":[],"commission":null,"origin":"","merged_into":null,"credits":[],"revision":0,"edited_by":null}',NULL,NULL,NULL,NULL,'member');
INSERT INTO "reportflow_entry" VALUES(3,'r1',2,'edit','draft','edited','li','{"id":"li","name":"李某","roles":["contributor","editor"],"unit":"yulin","clearance":"internal","kind":"person","on_behalf_of":null}','2022-03-01T11:00:00.000000+00:00','2022-03-01T11:00:00.000000+00:00','','{"$type":"reportflow.Revision","text":"八盏路灯不亮；it''s dark","title":null}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "reportflow_entry" VALUES(4,'r1',3,'review','edited','reviewed','wang','{"id":"wang","name":"","roles":["reviewer"],"unit":"yulin","clearance":"internal","kind":"person","on_behalf_of":null}','2022-03-01T12:00:00.000000+00:00','2022-03-01T12:00:00.000000+00:00','',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "reportflow_entry" VALUES(5,'r1',4,'adopt','reviewed','adopted','chen','{"id":"chen","name":"","roles":["registrar"],"unit":"yulin","clearance":"internal","kind":"person","on_behalf_of":null}','2022-03-01T13:00:00.000000+00:00','2022-03-01T13:00:00.000000+00:00','','{"$type":"reportflow.Adoption","body":"省政协","level":"province","carrier":"","issue":"","usage":"combined"}','k1',NULL,'省政协','province','combined');
INSERT INTO "reportflow_entry" VALUES(6,'r2',2,'comment','draft','draft','wang','{"id":"wang","name":"","roles":["reviewer"],"unit":"yulin","clearance":"internal","kind":"person","on_behalf_of":null}','2022-03-01T14:00:00.000000+00:00','2022-03-01T14:00:00.000000+00:00','','{"$type":"reportflow.Comment","text":"y; z"}',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE reportflow_label (
	record_id VARCHAR(255) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	value VARCHAR(255) NOT NULL, 
	PRIMARY KEY (record_id, name, value), 
	FOREIGN KEY(record_id) REFERENCES reportflow_record (id)
);
INSERT INTO "reportflow_label" VALUES('r1','author','qian');
INSERT INTO "reportflow_label" VALUES('r1','topic','transport');
INSERT INTO "reportflow_label" VALUES('r2','author','zhao');
CREATE TABLE reportflow_meta (
	name VARCHAR(255) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "reportflow_meta" VALUES('schema_version','1');
CREATE TABLE reportflow_record (
	id VARCHAR(255) NOT NULL, 
	kind VARCHAR(255) NOT NULL, 
	state VARCHAR(255) NOT NULL, 
	version INTEGER NOT NULL, 
	lifecycle_version INTEGER NOT NULL, 
	unit VARCHAR(255) NOT NULL, 
	parent VARCHAR(255), 
	title TEXT NOT NULL, 
	category VARCHAR(255) NOT NULL, 
	assignee VARCHAR(255), 
	due_at VARCHAR(32) NOT NULL, 
	secrecy VARCHAR(255) NOT NULL, 
	created_by VARCHAR(255) NOT NULL, 
	created_at VARCHAR(32) NOT NULL, 
	updated_at VARCHAR(32) NOT NULL, 
	text TEXT, 
	data TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "reportflow_record" VALUES('r1','report','adopted',4,1,'yulin',NULL,'路灯','',NULL,'never','internal','li','2022-03-01T09:00:00.000000+00:00','2022-03-01T13:00:00.000000+00:00','八盏路灯不亮；it''s dark','{"$type":"reportflow.Report","authors":[{"name":"钱某","id":"qian","unit":"","level":null}],"number":"","source":"member","topics":["transport"],"attachments":[],"commission":null,"origin":"","merged_into":null,"credits":[],"revision":1,"edited_by":"li"}');
INSERT INTO "reportflow_record" VALUES('r2','report','draft',2,1,'yulin',NULL,'Lamps','',NULL,'never','internal','li','2022-03-01T10:00:00.000000+00:00','2022-03-01T14:00:00.000000+00:00','x','{"$type":"reportflow.Report","authors":[{"name":"Z","id":"zhao","unit":"","level":null}],"number":"","source":"member","topics":[],"attachments":[],"commission":null,"origin":"","merged_into":null,"credits":[],"revision":0,"edited_by":null}');
CREATE INDEX reportflow_record_age ON reportflow_record (created_at, id);
CREATE INDEX reportflow_record_parent ON reportflow_record (parent);
CREATE INDEX reportflow_record_queue ON reportflow_record (kind, state, due_at, created_at, id);
CREATE INDEX reportflow_entry_happened ON reportflow_entry ("trigger", at, record_id);
CREATE INDEX reportflow_label_value ON reportflow_label (name, value, record_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('reportflow_entry',6);
COMMIT;
