BEGIN TRANSACTION;
CREATE TABLE gone (id integer primary key, n integer not null);
CREATE TABLE items (id integer primary key, n integer not null, note text);
INSERT INTO "items" VALUES(1,2,'eins');
INSERT INTO "items" VALUES(2,2,'zwei ä "quoted" \ 東京');
INSERT INTO "items" VALUES(3,2,NULL);
INSERT INTO "items" VALUES(4,2,'only the note');
INSERT INTO "items" VALUES(101,2,'late');
CREATE TABLE rowhook_activity_intervals (
    id               integer primary key autoincrement,
    subscription_id  integer not null references rowhook_subscriptions,
    receiver_id      integer not null,
    resource         text not null,
    action           text not null,
    changed_fields   text,
    filter           text,
    opened_at        text not null,                 -- change id: up to it is out
    closed_at        text                           -- change id: only up to it is in
);
INSERT INTO "rowhook_activity_intervals" VALUES(1,1,1,'ITEM','CREATE',NULL,NULL,'0',NULL);
INSERT INTO "rowhook_activity_intervals" VALUES(2,2,1,'ITEM','UPDATE',NULL,NULL,'0',NULL);
INSERT INTO "rowhook_activity_intervals" VALUES(3,3,1,'ITEM','DELETE',NULL,NULL,'0',NULL);
INSERT INTO "rowhook_activity_intervals" VALUES(4,4,2,'ITEM','CREATE',NULL,'new.id > 3','0',NULL);
INSERT INTO "rowhook_activity_intervals" VALUES(5,5,2,'ITEM','UPDATE','["n"]','new.n > 1','0',NULL);
INSERT INTO "rowhook_activity_intervals" VALUES(6,6,3,'ITEM','CREATE',NULL,NULL,'0',NULL);
INSERT INTO "rowhook_activity_intervals" VALUES(7,7,4,'ITEM','DELETE',NULL,NULL,'0',NULL);
INSERT INTO "rowhook_activity_intervals" VALUES(8,8,5,'ITEM','CREATE',NULL,NULL,'0',NULL);
INSERT INTO "rowhook_activity_intervals" VALUES(9,9,5,'ITEM','UPDATE',NULL,NULL,'0',NULL);
INSERT INTO "rowhook_activity_intervals" VALUES(10,10,6,'ITEM','CREATE',NULL,NULL,'0','17');
INSERT INTO "rowhook_activity_intervals" VALUES(11,11,7,'ITEM','CREATE',NULL,NULL,'0','17');
CREATE TABLE rowhook_api_keys (
    id            integer primary key autoincrement,
    name          text not null,
    role          text not null,
    prefix        text not null,                    -- the first letters, to recognise it by
    key_hash      text not null unique,             -- SHA-256 of the key, which has 256 random bits
    created_at    text not null,
    last_used_at  text,
    revoked_at    text
);
INSERT INTO "rowhook_api_keys" VALUES(1,'admin','admin','rhk_ychyWNad','e78e1313fe5a73deaa887fb70e66476a28295913a8ab4062a2ae8e39d801fc9f','2026-11-23T01:18:32.776300+00:00',NULL,NULL);
INSERT INTO "rowhook_api_keys" VALUES(2,'operator','operator','rhk_T64kGID2','30d5e2c838a474074c44d69251d665f22163d0d68f1e64d6ba8b0fee427321c7','2026-11-23T01:18:32.793440+00:00',NULL,NULL);
INSERT INTO "rowhook_api_keys" VALUES(3,'viewer','viewer','rhk_g3VlL5xo','69e5e61608b821f66fbee5bd2c80efda1da976e40e5fb4fef690b7460e400ba9','2026-11-23T01:18:32.805851+00:00',NULL,NULL);
INSERT INTO "rowhook_api_keys" VALUES(4,'revoked','admin','rhk_pS3aVTvS','f0691dad6a10988a7c5fa9e699722b2a8b38cc2114d2104d5033315456e335d9','2026-11-23T01:18:32.819889+00:00',NULL,'2026-11-23T01:18:32.850678+00:00');
CREATE TABLE rowhook_attempts (
    event_id         integer not null,
    number           integer not null,
    attempted_at     text not null,
    duration_ms      integer not null,
    response_status  integer,
    response_headers text,
    response_data    text,
    error            text,
    primary key (event_id, number)
);
INSERT INTO "rowhook_attempts" VALUES(56,1,'2026-11-23T01:18:33.223246+00:00',4,500,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok','answered 500, expected 200');
CREATE TABLE rowhook_capture_cursor (
    id              integer primary key default 1 check (id = 1),
    epoch           integer not null default 0,
    watermark       text not null,        -- every change up to this id is fanned out
    window_to       text,                 -- a window too large for one page: the id it ends with,
    window_after    integer,              -- and the id up to which it is fanned out
    window_last     integer,
    transaction_id  integer not null default 0, -- the number of the newest window: all its changes share it
    updated_at      text not null default (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))
);
INSERT INTO "rowhook_capture_cursor" VALUES(1,3,'17',NULL,NULL,NULL,2,'2026-11-23T01:18:32.969656760+00:00');
CREATE TABLE rowhook_delivery_counts (
    slot         integer not null,      -- stretches of 15 s since 1970
    receiver_id  integer not null,
    kind         integer not null,      -- -1 failed, -2 delivered, from 0 delivered within 2^(kind/4) ms
    n            integer not null,
    primary key (slot, receiver_id, kind)
) without rowid;
INSERT INTO "rowhook_delivery_counts" VALUES(119693114,1,-2,5);
INSERT INTO "rowhook_delivery_counts" VALUES(119693114,1,21,1);
INSERT INTO "rowhook_delivery_counts" VALUES(119693114,1,34,5);
INSERT INTO "rowhook_delivery_counts" VALUES(119693114,1,35,11);
INSERT INTO "rowhook_delivery_counts" VALUES(119693114,1,36,1);
INSERT INTO "rowhook_delivery_counts" VALUES(119693114,2,31,4);
INSERT INTO "rowhook_delivery_counts" VALUES(119693114,2,33,1);
INSERT INTO "rowhook_delivery_counts" VALUES(119693114,2,34,2);
INSERT INTO "rowhook_delivery_counts" VALUES(119693114,3,-1,5);
INSERT INTO "rowhook_delivery_counts" VALUES(119693114,4,-1,2);
INSERT INTO "rowhook_delivery_counts" VALUES(119693114,6,30,5);
INSERT INTO "rowhook_delivery_counts" VALUES(119693114,7,34,5);
CREATE TABLE rowhook_delivery_history (
    seconds      integer not null,      -- how long a stretch is: 60 or 600
    slot         integer not null,      -- stretches of that length since 1970
    receiver_id  integer not null,
    kind         integer not null,      -- as in delivery_counts
    n            integer not null,
    primary key (seconds, slot, receiver_id, kind)
) without rowid;
CREATE TABLE rowhook_events (
    id               integer primary key autoincrement,
    subscription_id  integer not null,
    receiver_id      integer not null,
    sequence         integer,                        -- none for a test delivery
    change_id        integer,                        -- none for a test delivery
    replay_id        integer not null default 0,     -- 0: live
    resource_id      integer not null,
    action           integer not null,
    transaction_id   integer not null,
    occurred_at      text not null,
    created_at       text not null,
    row_id           text not null,                 -- data.id
    row_hash         integer not null,
    previous_hash    integer,                        -- the row of the old key, when the key changed
    payload          text,                          -- data of a test delivery
    state            integer not null default 0,   -- 0 ready 1 waiting 2 parked 3 delivered 4 failed 5 cancelled
    due_at           text,                   -- waiting: when the next attempt is due
    redelivery       integer not null default 0,
    attempt_count    integer not null default 0,
    budget_used      integer not null default 0,
    attempted_at     text,                   -- the latest attempt; earlier ones are in attempts
    duration_ms      integer,
    response_status  integer,
    response_headers text,
    response_data    text,
    error            text
, ended_at text);
INSERT INTO "rowhook_events" VALUES(1,1,1,1,1,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','1',278526394643803850,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.060075+00:00',13,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.176714123+00:00');
INSERT INTO "rowhook_events" VALUES(2,6,3,1,1,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','1',278526394643803850,NULL,NULL,1,'2026-11-23T02:12:30.346692+00:00',0,1,1,'2026-11-23T01:18:33.183205+00:00',3,500,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok','answered 500, expected 200',NULL);
INSERT INTO "rowhook_events" VALUES(3,8,5,1,1,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','1',278526394643803850,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(4,10,6,1,1,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','1',278526394643803850,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:32.982001+00:00',3,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:32 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.016772521+00:00');
INSERT INTO "rowhook_events" VALUES(5,11,7,1,1,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','1',278526394643803850,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.112611+00:00',11,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.213658046+00:00');
INSERT INTO "rowhook_events" VALUES(6,1,1,2,2,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','2',-8934369200591505389,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.063141+00:00',10,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.176714123+00:00');
INSERT INTO "rowhook_events" VALUES(7,6,3,2,2,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','2',-8934369200591505389,NULL,NULL,5,NULL,0,1,1,'2026-11-23T01:18:33.184360+00:00',2,500,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok','answered 500, expected 200','2026-11-23T01:18:33.422195+00:00');
INSERT INTO "rowhook_events" VALUES(8,8,5,2,2,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','2',-8934369200591505389,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(9,10,6,2,2,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','2',-8934369200591505389,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:32.982571+00:00',2,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:32 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.016772521+00:00');
INSERT INTO "rowhook_events" VALUES(10,11,7,2,2,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','2',-8934369200591505389,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.113190+00:00',9,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.213658046+00:00');
INSERT INTO "rowhook_events" VALUES(11,1,1,3,3,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','3',6077059618703756081,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.063757+00:00',10,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.176714123+00:00');
INSERT INTO "rowhook_events" VALUES(12,6,3,3,3,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','3',6077059618703756081,NULL,NULL,1,'2026-11-23T02:22:19.535518+00:00',0,1,1,'2026-11-23T01:18:33.184590+00:00',2,500,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok','answered 500, expected 200',NULL);
INSERT INTO "rowhook_events" VALUES(13,8,5,3,3,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','3',6077059618703756081,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(14,10,6,3,3,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','3',6077059618703756081,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:32.983071+00:00',2,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:32 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.016772521+00:00');
INSERT INTO "rowhook_events" VALUES(15,11,7,3,3,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','3',6077059618703756081,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.118724+00:00',5,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.213658046+00:00');
INSERT INTO "rowhook_events" VALUES(16,1,1,4,4,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','4',2570531079653247068,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.064219+00:00',9,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.176714123+00:00');
INSERT INTO "rowhook_events" VALUES(17,4,2,1,4,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','4',2570531079653247068,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.021506+00:00',45,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.176714123+00:00');
INSERT INTO "rowhook_events" VALUES(18,6,3,4,4,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','4',2570531079653247068,NULL,NULL,1,'2026-11-23T02:12:47.669460+00:00',0,1,1,'2026-11-23T01:18:33.185246+00:00',1,500,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok','answered 500, expected 200',NULL);
INSERT INTO "rowhook_events" VALUES(19,8,5,4,4,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','4',2570531079653247068,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(20,10,6,4,4,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','4',2570531079653247068,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:32.983445+00:00',1,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:32 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.016772521+00:00');
INSERT INTO "rowhook_events" VALUES(21,11,7,4,4,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','4',2570531079653247068,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.119133+00:00',4,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.213658046+00:00');
INSERT INTO "rowhook_events" VALUES(22,1,1,5,5,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','5',-1889545107239605916,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.081697+00:00',47,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.213658046+00:00');
INSERT INTO "rowhook_events" VALUES(23,4,2,2,5,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','5',-1889545107239605916,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.022113+00:00',44,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.176714123+00:00');
INSERT INTO "rowhook_events" VALUES(24,6,3,5,5,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','5',-1889545107239605916,NULL,NULL,1,'2026-11-23T02:23:41.348058+00:00',0,1,1,'2026-11-23T01:18:33.186627+00:00',0,500,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok','answered 500, expected 200',NULL);
INSERT INTO "rowhook_events" VALUES(25,8,5,5,5,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','5',-1889545107239605916,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(26,10,6,5,5,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','5',-1889545107239605916,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:32.983867+00:00',1,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:32 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.016772521+00:00');
INSERT INTO "rowhook_events" VALUES(27,11,7,5,5,0,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:32.930933+00:00','5',-1889545107239605916,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.119453+00:00',4,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.213658046+00:00');
INSERT INTO "rowhook_events" VALUES(28,2,1,1,6,0,1,2,1,'2026-11-23T01:18:32.885000+00:00','2026-11-23T01:18:32.930933+00:00','1',278526394643803850,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.192297+00:00',42,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.275560900+00:00');
INSERT INTO "rowhook_events" VALUES(29,9,5,1,6,0,1,2,1,'2026-11-23T01:18:32.885000+00:00','2026-11-23T01:18:32.930933+00:00','1',278526394643803850,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(30,2,1,2,7,0,1,2,1,'2026-11-23T01:18:32.885000+00:00','2026-11-23T01:18:32.930933+00:00','2',-8934369200591505389,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.191793+00:00',2,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.275560900+00:00');
INSERT INTO "rowhook_events" VALUES(31,9,5,2,7,0,1,2,1,'2026-11-23T01:18:32.885000+00:00','2026-11-23T01:18:32.930933+00:00','2',-8934369200591505389,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(32,2,1,3,8,0,1,2,1,'2026-11-23T01:18:32.885000+00:00','2026-11-23T01:18:32.930933+00:00','3',6077059618703756081,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.193407+00:00',41,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.275560900+00:00');
INSERT INTO "rowhook_events" VALUES(33,9,5,3,8,0,1,2,1,'2026-11-23T01:18:32.885000+00:00','2026-11-23T01:18:32.930933+00:00','3',6077059618703756081,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(34,2,1,4,9,0,1,2,1,'2026-11-23T01:18:32.885000+00:00','2026-11-23T01:18:32.930933+00:00','4',2570531079653247068,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.192631+00:00',42,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.275560900+00:00');
INSERT INTO "rowhook_events" VALUES(35,9,5,4,9,0,1,2,1,'2026-11-23T01:18:32.885000+00:00','2026-11-23T01:18:32.930933+00:00','4',2570531079653247068,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(36,2,1,5,10,0,1,2,1,'2026-11-23T01:18:32.885000+00:00','2026-11-23T01:18:32.930933+00:00','5',-1889545107239605916,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.267855+00:00',6,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.275560900+00:00');
INSERT INTO "rowhook_events" VALUES(37,9,5,5,10,0,1,2,1,'2026-11-23T01:18:32.885000+00:00','2026-11-23T01:18:32.930933+00:00','5',-1889545107239605916,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(38,2,1,6,11,0,1,2,1,'2026-11-23T01:18:32.890000+00:00','2026-11-23T01:18:32.930933+00:00','1',278526394643803850,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.287227+00:00',9,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.300419035+00:00');
INSERT INTO "rowhook_events" VALUES(39,5,2,1,11,0,1,2,1,'2026-11-23T01:18:32.890000+00:00','2026-11-23T01:18:32.930933+00:00','1',278526394643803850,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.022324+00:00',44,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.176714123+00:00');
INSERT INTO "rowhook_events" VALUES(40,9,5,6,11,0,1,2,1,'2026-11-23T01:18:32.890000+00:00','2026-11-23T01:18:32.930933+00:00','1',278526394643803850,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(41,2,1,7,12,0,1,2,1,'2026-11-23T01:18:32.890000+00:00','2026-11-23T01:18:32.930933+00:00','2',-8934369200591505389,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.286223+00:00',9,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.300419035+00:00');
INSERT INTO "rowhook_events" VALUES(42,5,2,2,12,0,1,2,1,'2026-11-23T01:18:32.890000+00:00','2026-11-23T01:18:32.930933+00:00','2',-8934369200591505389,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.022500+00:00',18,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.091056756+00:00');
INSERT INTO "rowhook_events" VALUES(43,9,5,7,12,0,1,2,1,'2026-11-23T01:18:32.890000+00:00','2026-11-23T01:18:32.930933+00:00','2',-8934369200591505389,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(44,2,1,8,13,0,1,2,1,'2026-11-23T01:18:32.890000+00:00','2026-11-23T01:18:32.930933+00:00','3',6077059618703756081,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.289718+00:00',6,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.300419035+00:00');
INSERT INTO "rowhook_events" VALUES(45,5,2,3,13,0,1,2,1,'2026-11-23T01:18:32.890000+00:00','2026-11-23T01:18:32.930933+00:00','3',6077059618703756081,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.029333+00:00',17,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.091056756+00:00');
INSERT INTO "rowhook_events" VALUES(46,9,5,8,13,0,1,2,1,'2026-11-23T01:18:32.890000+00:00','2026-11-23T01:18:32.930933+00:00','3',6077059618703756081,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(47,2,1,9,14,0,1,2,1,'2026-11-23T01:18:32.890000+00:00','2026-11-23T01:18:32.930933+00:00','4',2570531079653247068,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.290532+00:00',2,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.300419035+00:00');
INSERT INTO "rowhook_events" VALUES(48,5,2,4,14,0,1,2,1,'2026-11-23T01:18:32.890000+00:00','2026-11-23T01:18:32.930933+00:00','4',2570531079653247068,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.029643+00:00',10,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.091056756+00:00');
INSERT INTO "rowhook_events" VALUES(49,9,5,9,14,0,1,2,1,'2026-11-23T01:18:32.890000+00:00','2026-11-23T01:18:32.930933+00:00','4',2570531079653247068,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(50,2,1,10,15,0,1,2,1,'2026-11-23T01:18:32.890000+00:00','2026-11-23T01:18:32.930933+00:00','5',-1889545107239605916,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.296762+00:00',1,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.300419035+00:00');
INSERT INTO "rowhook_events" VALUES(51,5,2,5,15,0,1,2,1,'2026-11-23T01:18:32.890000+00:00','2026-11-23T01:18:32.930933+00:00','5',-1889545107239605916,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.029933+00:00',17,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.091056756+00:00');
INSERT INTO "rowhook_events" VALUES(52,9,5,10,15,0,1,2,1,'2026-11-23T01:18:32.890000+00:00','2026-11-23T01:18:32.930933+00:00','5',-1889545107239605916,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(53,2,1,11,16,0,1,2,2,'2026-11-23T01:18:32.899000+00:00','2026-11-23T01:18:32.970859+00:00','4',2570531079653247068,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.318750+00:00',2,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.322764593+00:00');
INSERT INTO "rowhook_events" VALUES(54,9,5,11,16,0,1,2,2,'2026-11-23T01:18:32.899000+00:00','2026-11-23T01:18:32.970859+00:00','4',2570531079653247068,NULL,NULL,0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "rowhook_events" VALUES(55,3,1,1,17,0,1,3,2,'2026-11-23T01:18:32.907000+00:00','2026-11-23T01:18:32.970859+00:00','5',-1889545107239605916,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:33.319319+00:00',49,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.372260307+00:00');
INSERT INTO "rowhook_events" VALUES(56,7,4,1,17,0,1,3,2,'2026-11-23T01:18:32.907000+00:00','2026-11-23T01:18:32.970859+00:00','5',-1889545107239605916,NULL,NULL,4,NULL,0,2,2,'2026-11-23T01:18:33.325999+00:00',0,500,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok','answered 500, expected 200','2026-11-23T01:18:33.339944935+00:00');
INSERT INTO "rowhook_events" VALUES(57,0,1,NULL,NULL,0,1,2,0,'2026-11-23T01:18:33.441312+00:00','2026-11-23T01:18:33.441312+00:00','4',3881176197868447688,NULL,'{"row":{"id":4,"n":2,"note":"only the note"},"old":{"note":""}}',3,NULL,0,1,1,'2026-11-23T01:18:33.467477+00:00',3,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:33 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:33.478037415+00:00');
INSERT INTO "rowhook_events" VALUES(58,1,1,6,1,138546433261725721,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:33.503755+00:00','1',278526394643803850,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:34.546895+00:00',9,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:34 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:34.571636879+00:00');
INSERT INTO "rowhook_events" VALUES(59,1,1,7,2,138546433261725721,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:33.503755+00:00','2',-8934369200591505389,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:34.547547+00:00',0,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:34 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:34.554765566+00:00');
INSERT INTO "rowhook_events" VALUES(60,1,1,8,3,138546433261725721,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:33.503755+00:00','3',6077059618703756081,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:34.547782+00:00',8,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:34 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:34.571636879+00:00');
INSERT INTO "rowhook_events" VALUES(61,1,1,9,4,138546433261725721,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:33.503755+00:00','4',2570531079653247068,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:34.547951+00:00',8,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:34 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:34.571636879+00:00');
INSERT INTO "rowhook_events" VALUES(62,1,1,10,5,138546433261725721,1,1,1,'2026-11-23T01:18:32.863000+00:00','2026-11-23T01:18:33.503755+00:00','5',-1889545107239605916,NULL,NULL,3,NULL,0,1,1,'2026-11-23T01:18:34.555557+00:00',4,200,'[["content-length","2"],["date","Mon, 23 Nov 2026 01:18:34 GMT"],["server","BaseHTTP/0.6 Python/3.11.7"]]','ok',NULL,'2026-11-23T01:18:34.571636879+00:00');
CREATE TABLE rowhook_headers (
    id               integer primary key autoincrement,
    receiver_id      integer not null references rowhook_receivers,
    key              text not null,
    value            text not null,                 -- sealed
    created_by_id    integer,
    created_by_name  text not null,
    updated_by_id    integer,
    updated_by_name  text not null,
    created_at       text not null,
    updated_at       text not null,
    etag             text not null,
    unique (receiver_id, key)
);
INSERT INTO "rowhook_headers" VALUES(1,1,'x-tenant','v1.757e5997.gVAiDUItX9JltRPVBLQ0C4MjXC62PJM9jgqBpBuxaL3OvWaaBn95T4bhqYPs',NULL,'admin',NULL,'admin','2026-11-23T01:18:32.762943+00:00','2026-11-23T01:18:32.762943+00:00','d0ab7915d95388b21d51c9f614dae709');
CREATE TABLE rowhook_leases (
    kind              text not null,                -- poller, receiver
    subject           integer not null,              -- 0, the receiver's id
    holder            text not null,
    expires_at        text not null,
    throttle_full_at  text, unparked integer not null default 0,                  -- released: when the receiver's bucket is full again
    primary key (kind, subject)
);
INSERT INTO "rowhook_leases" VALUES('poller',0,'rowhook/15450/5e9e3cd59054ef7b','2026-11-23T01:18:41.201+00:00',NULL,0);
INSERT INTO "rowhook_leases" VALUES('receiver',5,'rowhook/15450/5e9e3cd59054ef7b','2026-11-23T01:18:41.289+00:00',NULL,0);
INSERT INTO "rowhook_leases" VALUES('receiver',6,'rowhook/15450/5e9e3cd59054ef7b','2026-11-23T01:18:35.100+00:00','2026-11-23T01:18:35.100+00:00',0);
INSERT INTO "rowhook_leases" VALUES('receiver',2,'rowhook/15450/5e9e3cd59054ef7b','2026-11-23T01:18:41.289+00:00',NULL,0);
INSERT INTO "rowhook_leases" VALUES('receiver',1,'rowhook/15450/5e9e3cd59054ef7b','2026-11-23T01:18:41.289+00:00',NULL,0);
INSERT INTO "rowhook_leases" VALUES('receiver',7,'rowhook/15450/5e9e3cd59054ef7b','2026-11-23T01:18:35.283+00:00','2026-11-23T01:18:35.283+00:00',0);
INSERT INTO "rowhook_leases" VALUES('receiver',3,'rowhook/15450/5e9e3cd59054ef7b','2026-11-23T01:18:41.289+00:00',NULL,0);
INSERT INTO "rowhook_leases" VALUES('receiver',4,'rowhook/15450/5e9e3cd59054ef7b','2026-11-23T01:18:41.289+00:00',NULL,0);
CREATE TABLE rowhook_logged_actions (
    id           integer primary key autoincrement,
    logged_at    text not null default (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')),
    resource_id  integer not null,
    action       integer not null,       -- 1 create, 2 update, 3 delete
    row_data     text not null,           -- JSON object, columns in table order; on delete the old row
    old_values   text                     -- update: the old values of the changed columns
);
INSERT INTO "rowhook_logged_actions" VALUES(1,'2026-11-23T01:18:32.863+00:00',1,1,'{"id":1,"n":0,"note":"eins"}',NULL);
INSERT INTO "rowhook_logged_actions" VALUES(2,'2026-11-23T01:18:32.863+00:00',1,1,'{"id":2,"n":0,"note":"zwei ä \"quoted\" \\ 東京"}',NULL);
INSERT INTO "rowhook_logged_actions" VALUES(3,'2026-11-23T01:18:32.863+00:00',1,1,'{"id":3,"n":0,"note":null}',NULL);
INSERT INTO "rowhook_logged_actions" VALUES(4,'2026-11-23T01:18:32.863+00:00',1,1,'{"id":4,"n":0,"note":""}',NULL);
INSERT INTO "rowhook_logged_actions" VALUES(5,'2026-11-23T01:18:32.863+00:00',1,1,'{"id":5,"n":0,"note":"x"}',NULL);
INSERT INTO "rowhook_logged_actions" VALUES(6,'2026-11-23T01:18:32.885+00:00',1,2,'{"id":1,"n":1,"note":"eins"}','{"n":0}');
INSERT INTO "rowhook_logged_actions" VALUES(7,'2026-11-23T01:18:32.885+00:00',1,2,'{"id":2,"n":1,"note":"zwei ä \"quoted\" \\ 東京"}','{"n":0}');
INSERT INTO "rowhook_logged_actions" VALUES(8,'2026-11-23T01:18:32.885+00:00',1,2,'{"id":3,"n":1,"note":null}','{"n":0}');
INSERT INTO "rowhook_logged_actions" VALUES(9,'2026-11-23T01:18:32.885+00:00',1,2,'{"id":4,"n":1,"note":""}','{"n":0}');
INSERT INTO "rowhook_logged_actions" VALUES(10,'2026-11-23T01:18:32.885+00:00',1,2,'{"id":5,"n":1,"note":"x"}','{"n":0}');
INSERT INTO "rowhook_logged_actions" VALUES(11,'2026-11-23T01:18:32.890+00:00',1,2,'{"id":1,"n":2,"note":"eins"}','{"n":1}');
INSERT INTO "rowhook_logged_actions" VALUES(12,'2026-11-23T01:18:32.890+00:00',1,2,'{"id":2,"n":2,"note":"zwei ä \"quoted\" \\ 東京"}','{"n":1}');
INSERT INTO "rowhook_logged_actions" VALUES(13,'2026-11-23T01:18:32.890+00:00',1,2,'{"id":3,"n":2,"note":null}','{"n":1}');
INSERT INTO "rowhook_logged_actions" VALUES(14,'2026-11-23T01:18:32.890+00:00',1,2,'{"id":4,"n":2,"note":""}','{"n":1}');
INSERT INTO "rowhook_logged_actions" VALUES(15,'2026-11-23T01:18:32.890+00:00',1,2,'{"id":5,"n":2,"note":"x"}','{"n":1}');
INSERT INTO "rowhook_logged_actions" VALUES(16,'2026-11-23T01:18:32.899+00:00',1,2,'{"id":4,"n":2,"note":"only the note"}','{"note":""}');
INSERT INTO "rowhook_logged_actions" VALUES(17,'2026-11-23T01:18:32.907+00:00',1,3,'{"id":5,"n":2,"note":"x"}',NULL);
INSERT INTO "rowhook_logged_actions" VALUES(18,'2026-11-23T01:18:36.568+00:00',1,1,'{"id":101,"n":0,"note":"late"}',NULL);
INSERT INTO "rowhook_logged_actions" VALUES(19,'2026-11-23T01:18:36.568+00:00',1,1,'{"id":102,"n":0,"note":"late"}',NULL);
INSERT INTO "rowhook_logged_actions" VALUES(20,'2026-11-23T01:18:36.581+00:00',1,2,'{"id":101,"n":2,"note":"late"}','{"n":0}');
INSERT INTO "rowhook_logged_actions" VALUES(21,'2026-11-23T01:18:36.643+00:00',1,3,'{"id":102,"n":0,"note":"late"}',NULL);
CREATE TABLE "rowhook_migrations" ( "version" varchar NOT NULL PRIMARY KEY, "applied_at" integer NOT NULL );
INSERT INTO "rowhook_migrations" VALUES('m0001_path',1795396711);
INSERT INTO "rowhook_migrations" VALUES('m0002_event_end',1795396711);
INSERT INTO "rowhook_migrations" VALUES('m0004_event_lists',1795396711);
INSERT INTO "rowhook_migrations" VALUES('m0005_delivery_counts',1795396711);
INSERT INTO "rowhook_migrations" VALUES('m0006_capture_notes',1795396712);
INSERT INTO "rowhook_migrations" VALUES('m0007_fresh_reads',1795396712);
INSERT INTO "rowhook_migrations" VALUES('m0008_restored_ids',1795396712);
INSERT INTO "rowhook_migrations" VALUES('m0009_client_certificates',1795396712);
INSERT INTO "rowhook_migrations" VALUES('m0010_parking',1795396712);
INSERT INTO "rowhook_migrations" VALUES('m0011_receiver_health',1795396712);
INSERT INTO "rowhook_migrations" VALUES('m0012_undelivered',1795396712);
INSERT INTO "rowhook_migrations" VALUES('m0013_delivery_history',1795396712);
CREATE TABLE rowhook_receiver_health (
    receiver_id     integer primary key,
    receiver_name   text not null,
    state           text not null,          -- HEALTHY, FAILING, PROBING, INACTIVE
    reason          text,                   -- why it came to this state
    since           text not null,          -- when it came to this state
    failures        integer not null,       -- in a row
    failing_since   text,                   -- the first of them
    last_error      text,                   -- of the last of them
    probe_at        text,                   -- PROBING: when the next request may go
    probe_pause_ms  integer,                -- PROBING: the pause before it, without its spread
    revision        integer not null        -- grows with each change; an older one is not written over a newer
);
INSERT INTO "rowhook_receiver_health" VALUES(3,'/fails','FAILING','answered 500, expected 200','2026-11-23T01:18:33.213658046+00:00',5,'2026-11-23T01:18:33.187149+00:00','answered 500, expected 200',NULL,NULL,5);
INSERT INTO "rowhook_receiver_health" VALUES(4,'/gives-up','FAILING','answered 500, expected 200','2026-11-23T01:18:33.275560900+00:00',2,'2026-11-23T01:18:33.227765+00:00','answered 500, expected 200',NULL,NULL,2);
INSERT INTO "rowhook_receiver_health" VALUES(6,'/off','INACTIVE','switched off by admin','2026-11-23T01:18:34.720368+00:00',0,NULL,NULL,NULL,NULL,1000000);
CREATE TABLE rowhook_receivers (
    id                      integer primary key autoincrement,
    name                    text not null,
    description             text,
    webhook_uri             text not null,
    shared_secret           text not null,          -- sealed
    previous_secret         text,                   -- sealed; signs too until previous_secret_until
    previous_secret_until   text,
    content_type            text not null,
    expected_response_code  integer not null,
    active                  integer not null,
    inactive_reason         text,
    rate_per_second         real,
    rate_burst              integer,
    max_in_flight           integer,
    timeout_ms              integer,
    retry_max_attempts      integer,
    retry_initial_delay_ms  integer,
    retry_multiplier        real,
    retry_max_delay_ms      integer,
    ordering                text not null,
    created_by_id           integer,
    created_by_name         text not null,
    updated_by_id           integer,
    updated_by_name         text not null,
    created_at              text not null,
    updated_at              text not null,
    etag                    text not null,
    deleted_at              text             -- its events and their log stay
, client_certificate text, client_key text);
INSERT INTO "rowhook_receivers" VALUES(1,'/takes','takes all','http://127.0.0.1:9/takes','v1.757e5997.tdsuUdyyTdL3qj8Z/7DDzeFJwYrtof/9N9ZgpZHigwRbi5UxYHTB8TH2WyyFRYEbwnhYiVafzbzQX7s6NlEh9RcYIodyLywTTkQuVTbRRzJA9+98qufigsxy','v1.757e5997.k3xhonOJseROnGVtmU3kys6hf+iZzboer6gDH+5yktwzt9MC1Iz9PxfjFVtdZ7N8NsXTyLTQJBsQwBEt9ed5BzoWtwQh2G6HY9k+H+GfAkBhkcBzdpcZnbVL','2026-11-23T01:18:33.736438+00:00','json',200,1,NULL,500.0,50,4,NULL,NULL,NULL,NULL,NULL,'PER_ROW',NULL,'admin',NULL,'admin','2026-11-23T01:18:32.212141+00:00','2026-11-23T01:18:32.736452+00:00','c38b4361cb6ab1bc726a7d4ec0c73d8c',NULL,NULL,NULL);
INSERT INTO "rowhook_receivers" VALUES(2,'/filtered',NULL,'http://127.0.0.1:9/filtered','v1.757e5997.2iRj6UKu00ninu9I+PoYIdbSBPqtnmjd/1VfAj+H5Byjw67Mag4B+jx7b33NIWkI/G/KVJ+t7wWUsphbS6KP4x4wpnIxoN5TVw3DWDExLNbLp8PQ+V3nP2LH',NULL,NULL,'cloudevents',200,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'NONE',NULL,'admin',NULL,'admin','2026-11-23T01:18:32.293506+00:00','2026-11-23T01:18:32.293506+00:00','87ddba53fc8778ae230437deaf8dd3da',NULL,NULL,NULL);
INSERT INTO "rowhook_receivers" VALUES(3,'/fails',NULL,'http://127.0.0.1:9/fails','v1.757e5997.ub7jhjxEFLCntSaTk2pprGKROFhPcv0Ryw7c72wk1hYdyMiZX4j+06wqxne9YxDAMFdtZijP08378/gyzUJvUl8ANcQeSl1VLUjQ472nZxb0iq1SUoJoDd5V',NULL,NULL,'json',200,1,NULL,NULL,NULL,NULL,NULL,5,3600000,NULL,3600000,'PER_ROW',NULL,'admin',NULL,'admin','2026-11-23T01:18:32.483490+00:00','2026-11-23T01:18:32.483490+00:00','266b2a811293754d5b5d15f9fbda534f',NULL,NULL,NULL);
INSERT INTO "rowhook_receivers" VALUES(4,'/gives-up',NULL,'http://127.0.0.1:9/gives-up','v1.757e5997.rRxg8kzT4F59pdqhYnLRTweCn9f3XGdVP3lJ5YMxJ/KNmW1/EyWWlSejy/agRTvQeSvR8h1HsiOwTfnr56u9TIVBawEm4r80G8kqFjhcgskLNQ1Ao8kAbn+L',NULL,NULL,'json',200,1,NULL,NULL,NULL,NULL,NULL,2,100,NULL,NULL,'PER_ROW',NULL,'admin',NULL,'admin','2026-11-23T01:18:32.518100+00:00','2026-11-23T01:18:32.518100+00:00','ded342acecc1fb406133aabf6a79eef3',NULL,NULL,NULL);
INSERT INTO "rowhook_receivers" VALUES(5,'/hangs',NULL,'http://127.0.0.1:9/hangs','v1.757e5997.KMGT2rb8kIv7TfT2UNT9cuuL2neLLaBzPn1gghVFv9UFyQ6GbBLV/X4dK3/kvGNi3n86Epv6r04JCvz83hdzfZctoGGNjrVGstBd4rbTSPnE2FRlqZGxC8s8',NULL,NULL,'json',200,1,NULL,NULL,NULL,1,60000,NULL,NULL,NULL,NULL,'PER_ROW',NULL,'admin',NULL,'admin','2026-11-23T01:18:32.551496+00:00','2026-11-23T01:18:32.551496+00:00','c6b5e907ef2e27c033729aeb3b4b77f1',NULL,NULL,NULL);
INSERT INTO "rowhook_receivers" VALUES(6,'/off',NULL,'http://127.0.0.1:9/off','v1.757e5997.Ag8qQ02l/LU+G73SGSIsG8fQ0/CedtxmWyz6vh7BUmmUhNi2FA4J+vS/mxlIXvC5DftRXXy1gpiIR9Ddjg7ihyHHuqG5TO06njMmb9xRoSOJ0ilVt+fb5Ojc',NULL,NULL,'json',200,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'PER_ROW',NULL,'admin',NULL,'admin','2026-11-23T01:18:32.597756+00:00','2026-11-23T01:18:34.717304+00:00','e6cc8461a644e55c6645ec774c2cb247',NULL,NULL,NULL);
INSERT INTO "rowhook_receivers" VALUES(7,'/deleted',NULL,'http://127.0.0.1:9/deleted','v1.757e5997.PoFhFOxqPShi22NlhEERidwC2otQxZAJwBMZt5D+Mol6i29gz2TYCAyFnwtcSsGR+JLkOo72nJanMjvcmphBUuR3W0L62LZvPmT/4qevgb7rKOSV2hj7jRCQ',NULL,NULL,'json',200,0,'the receiver was deleted',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'PER_ROW',NULL,'admin',NULL,'admin','2026-11-23T01:18:32.650783+00:00','2026-11-23T01:18:34.726023+00:00','5d0c027160d8e5d9cb0186e9b7d9f185','2026-11-23T01:18:34.724751+00:00',NULL,NULL);
CREATE TABLE rowhook_reconciliations (
    id           integer primary key check (id = 1),
    ran_at       text not null,
    changes      integer not null,      -- compared
    owed         integer not null,      -- events that they were owed
    found        integer not null,      -- events that there were of them
    events       integer not null,      -- whose records were looked at
    differences  integer not null,
    examples     text not null          -- JSON: the first differences in words
);
CREATE TABLE rowhook_resources (
    id          integer primary key autoincrement,
    name        text not null,
    definition  text not null,
    created_at  text not null default (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')),
    retired_at  text
, excluded_at text);
INSERT INTO "rowhook_resources" VALUES(1,'ITEM','{"table":"items","columns":[{"name":"id","data_type":"INTEGER"},{"name":"n","data_type":"INTEGER"},{"name":"note","data_type":"TEXT"}],"key":["id"],"etag":null,"exclude":[],"on_truncate":"rows"}','2026-11-23T01:18:32.132+00:00',NULL,NULL);
CREATE TABLE rowhook_subscription_sequences (
    subscription_id  integer primary key,
    last_sequence    integer not null
);
INSERT INTO "rowhook_subscription_sequences" VALUES(1,10);
INSERT INTO "rowhook_subscription_sequences" VALUES(2,11);
INSERT INTO "rowhook_subscription_sequences" VALUES(3,1);
INSERT INTO "rowhook_subscription_sequences" VALUES(4,2);
INSERT INTO "rowhook_subscription_sequences" VALUES(5,5);
INSERT INTO "rowhook_subscription_sequences" VALUES(6,5);
INSERT INTO "rowhook_subscription_sequences" VALUES(7,1);
INSERT INTO "rowhook_subscription_sequences" VALUES(8,5);
INSERT INTO "rowhook_subscription_sequences" VALUES(9,11);
INSERT INTO "rowhook_subscription_sequences" VALUES(10,5);
INSERT INTO "rowhook_subscription_sequences" VALUES(11,5);
CREATE TABLE rowhook_subscriptions (
    id               integer primary key autoincrement,
    receiver_id      integer not null references rowhook_receivers,
    resource         text not null,
    action           text not null,
    active           integer not null,
    changed_fields   text,                          -- JSON array of column names
    filter           text,                          -- CEL
    created_by_id    integer,
    created_by_name  text not null,
    updated_by_id    integer,
    updated_by_name  text not null,
    created_at       text not null,
    updated_at       text not null,
    etag             text not null,
    deleted_at       text
);
INSERT INTO "rowhook_subscriptions" VALUES(1,1,'ITEM','CREATE',1,NULL,NULL,NULL,'admin',NULL,'admin','2026-11-23T01:18:32.246831+00:00','2026-11-23T01:18:32.246831+00:00','110740f02d7dd397f3b24fcbc918c959',NULL);
INSERT INTO "rowhook_subscriptions" VALUES(2,1,'ITEM','UPDATE',1,NULL,NULL,NULL,'admin',NULL,'admin','2026-11-23T01:18:32.266575+00:00','2026-11-23T01:18:32.266575+00:00','43aa208232239c94faffb69db749c112',NULL);
INSERT INTO "rowhook_subscriptions" VALUES(3,1,'ITEM','DELETE',1,NULL,NULL,NULL,'admin',NULL,'admin','2026-11-23T01:18:32.287255+00:00','2026-11-23T01:18:32.287255+00:00','b3acdcf736d9da7be8c44107578d080d',NULL);
INSERT INTO "rowhook_subscriptions" VALUES(4,2,'ITEM','CREATE',1,NULL,'new.id > 3',NULL,'admin',NULL,'admin','2026-11-23T01:18:32.343134+00:00','2026-11-23T01:18:32.343134+00:00','7b617c9c331c3a5aefda0008d8c9faf2',NULL);
INSERT INTO "rowhook_subscriptions" VALUES(5,2,'ITEM','UPDATE',1,'["n"]','new.n > 1',NULL,'admin',NULL,'admin','2026-11-23T01:18:32.465152+00:00','2026-11-23T01:18:32.465152+00:00','6d20b7897feb7c6ea930cb0bc4b7e56d',NULL);
INSERT INTO "rowhook_subscriptions" VALUES(6,3,'ITEM','CREATE',1,NULL,NULL,NULL,'admin',NULL,'admin','2026-11-23T01:18:32.504345+00:00','2026-11-23T01:18:32.504345+00:00','45ae36c2d64a975a1c04581b708885c2',NULL);
INSERT INTO "rowhook_subscriptions" VALUES(7,4,'ITEM','DELETE',1,NULL,NULL,NULL,'admin',NULL,'admin','2026-11-23T01:18:32.537053+00:00','2026-11-23T01:18:32.537053+00:00','178b09fd2948dc2fffc41a71c1b814d0',NULL);
INSERT INTO "rowhook_subscriptions" VALUES(8,5,'ITEM','CREATE',1,NULL,NULL,NULL,'admin',NULL,'admin','2026-11-23T01:18:32.567779+00:00','2026-11-23T01:18:32.567779+00:00','0de8ad10318485667cefc1e5e22bbb9d',NULL);
INSERT INTO "rowhook_subscriptions" VALUES(9,5,'ITEM','UPDATE',1,NULL,NULL,NULL,'admin',NULL,'admin','2026-11-23T01:18:32.581471+00:00','2026-11-23T01:18:32.581471+00:00','73446ba1b32b8678ea65c6838a334838',NULL);
INSERT INTO "rowhook_subscriptions" VALUES(10,6,'ITEM','CREATE',1,NULL,NULL,NULL,'admin',NULL,'admin','2026-11-23T01:18:32.630466+00:00','2026-11-23T01:18:32.630466+00:00','ea6896367fdf63241b9fc15bab15b027',NULL);
INSERT INTO "rowhook_subscriptions" VALUES(11,7,'ITEM','CREATE',0,NULL,NULL,NULL,'admin',NULL,'admin','2026-11-23T01:18:32.664788+00:00','2026-11-23T01:18:34.724751+00:00','31a0abc512906b0c6ae0568ce3491838','2026-11-23T01:18:34.724751+00:00');
CREATE TABLE rowhook_table_notes (
    resource   text primary key,
    looked_at  text not null,
    note       text,                    -- what was last found and done, in words; null: nothing ever was
    noted_at   text
) without rowid;
CREATE TABLE rowhook_undelivered (
    event_id        integer primary key,
    receiver_id     integer not null,
    state           integer not null,       -- as in rowhook_events; never 3
    is_test         integer not null,       -- 1: a test delivery
    due_at          text,
    row_hash        integer not null,
    previous_hash   integer
);
INSERT INTO "rowhook_undelivered" VALUES(2,3,1,0,'2026-11-23T02:12:30.346692+00:00',278526394643803850,NULL);
INSERT INTO "rowhook_undelivered" VALUES(3,5,0,0,NULL,278526394643803850,NULL);
INSERT INTO "rowhook_undelivered" VALUES(7,3,5,0,NULL,-8934369200591505389,NULL);
INSERT INTO "rowhook_undelivered" VALUES(8,5,0,0,NULL,-8934369200591505389,NULL);
INSERT INTO "rowhook_undelivered" VALUES(12,3,1,0,'2026-11-23T02:22:19.535518+00:00',6077059618703756081,NULL);
INSERT INTO "rowhook_undelivered" VALUES(13,5,0,0,NULL,6077059618703756081,NULL);
INSERT INTO "rowhook_undelivered" VALUES(18,3,1,0,'2026-11-23T02:12:47.669460+00:00',2570531079653247068,NULL);
INSERT INTO "rowhook_undelivered" VALUES(19,5,0,0,NULL,2570531079653247068,NULL);
INSERT INTO "rowhook_undelivered" VALUES(24,3,1,0,'2026-11-23T02:23:41.348058+00:00',-1889545107239605916,NULL);
INSERT INTO "rowhook_undelivered" VALUES(25,5,0,0,NULL,-1889545107239605916,NULL);
INSERT INTO "rowhook_undelivered" VALUES(29,5,0,0,NULL,278526394643803850,NULL);
INSERT INTO "rowhook_undelivered" VALUES(31,5,0,0,NULL,-8934369200591505389,NULL);
INSERT INTO "rowhook_undelivered" VALUES(33,5,0,0,NULL,6077059618703756081,NULL);
INSERT INTO "rowhook_undelivered" VALUES(35,5,0,0,NULL,2570531079653247068,NULL);
INSERT INTO "rowhook_undelivered" VALUES(37,5,0,0,NULL,-1889545107239605916,NULL);
INSERT INTO "rowhook_undelivered" VALUES(40,5,0,0,NULL,278526394643803850,NULL);
INSERT INTO "rowhook_undelivered" VALUES(43,5,0,0,NULL,-8934369200591505389,NULL);
INSERT INTO "rowhook_undelivered" VALUES(46,5,0,0,NULL,6077059618703756081,NULL);
INSERT INTO "rowhook_undelivered" VALUES(49,5,0,0,NULL,2570531079653247068,NULL);
INSERT INTO "rowhook_undelivered" VALUES(52,5,0,0,NULL,-1889545107239605916,NULL);
INSERT INTO "rowhook_undelivered" VALUES(54,5,0,0,NULL,2570531079653247068,NULL);
INSERT INTO "rowhook_undelivered" VALUES(56,4,4,0,NULL,-1889545107239605916,NULL);
CREATE UNIQUE INDEX rowhook_resources_in_force on rowhook_resources (name) where retired_at is null;
CREATE INDEX rowhook_subscriptions_by_receiver on rowhook_subscriptions (receiver_id);
CREATE UNIQUE INDEX rowhook_activity_intervals_open on rowhook_activity_intervals (subscription_id)
    where closed_at is null;
CREATE INDEX rowhook_activity_intervals_by_resource on rowhook_activity_intervals (resource, action);
CREATE UNIQUE INDEX rowhook_events_once on rowhook_events (change_id, subscription_id, replay_id);
CREATE UNIQUE INDEX rowhook_events_by_sequence on rowhook_events (subscription_id, sequence);
CREATE INDEX rowhook_events_by_row on rowhook_events (row_hash, id);
CREATE INDEX rowhook_events_by_transaction on rowhook_events (transaction_id, id);
CREATE INDEX rowhook_events_by_time on rowhook_events (occurred_at, id);
CREATE INDEX rowhook_events_by_kind on rowhook_events (resource_id, action, id);
CREATE INDEX rowhook_undelivered_by_receiver on rowhook_undelivered (state, receiver_id, event_id);
CREATE INDEX rowhook_undelivered_by_state on rowhook_undelivered (state, event_id);
CREATE INDEX rowhook_undelivered_waiting on rowhook_undelivered (receiver_id, due_at) where state = 1;
CREATE INDEX rowhook_undelivered_blocking on rowhook_undelivered (receiver_id, row_hash, event_id)
    where state in (1, 2);
CREATE INDEX rowhook_undelivered_blocking_previous on rowhook_undelivered (receiver_id, previous_hash, event_id)
    where state in (1, 2) and previous_hash is not null;
CREATE INDEX rowhook_undelivered_tests on rowhook_undelivered (receiver_id, event_id)
    where state = 0 and is_test = 1;
CREATE INDEX rowhook_events_by_receiver on rowhook_events (receiver_id, id);
CREATE INDEX rowhook_events_by_subscription on rowhook_events (subscription_id, id);
CREATE TRIGGER rowhook_events_made after insert on rowhook_events when new.state <> 3 begin
    insert into rowhook_undelivered
        values (new.id, new.receiver_id, new.state, case when new.sequence is null then 1 else 0 end, new.due_at,
                new.row_hash, new.previous_hash);
end;
CREATE TRIGGER rowhook_events_delivered after update of state on rowhook_events when new.state = 3 begin
    delete from rowhook_undelivered where event_id = new.id;
end;
CREATE TRIGGER rowhook_events_moved after update of state, due_at on rowhook_events when new.state <> 3 begin
    insert into rowhook_undelivered
        values (new.id, new.receiver_id, new.state, case when new.sequence is null then 1 else 0 end, new.due_at,
                new.row_hash, new.previous_hash)
        on conflict (event_id) do update set state = excluded.state, due_at = excluded.due_at;
end;
CREATE TRIGGER rowhook_events_dropped after delete on rowhook_events when old.state <> 3 begin
    delete from rowhook_undelivered where event_id = old.id;
end;
CREATE TRIGGER "rowhook_item_insert" after insert on "items" for each row
begin
    insert into rowhook_logged_actions (resource_id, action, row_data)
    values (1, 1, (select '{' || group_concat(key || case typeof(value) when 'null' then 'null' when 'integer' then case when kind = 1 and value = 1 then 'true' when kind = 1 and value = 0 then 'false' else cast(value as text) end when 'real' then case value when 9e999 then '"Infinity"' when -9e999 then '"-Infinity"' else case when cast(printf('%!.15g', value) as real) = value then printf('%!.15g', value) else printf('%!.17g', value) end end when 'text' then case when kind = 2 and json_valid(value) then json(value) else json_quote(value || '') end else (select '"' || case length(value) % 3 when 0 then s when 1 then substr(s, 1, length(s) - 2) || '==' else substr(s, 1, length(s) - 1) || '=' end || '"' from (select coalesce(group_concat(substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + (v >> 18), 1) || substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + ((v >> 12) & 63), 1) || substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + ((v >> 6) & 63), 1) || substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + (v & 63), 1), ''), '') as s from (select ((instr(x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', substr(value, i + 1, 1)) - 1) << 16) | ((instr(x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', substr(value, i + 2, 1)) - 1) << 8) | (instr(x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', substr(value, i + 3, 1)) - 1) as v from (with recursive g(i) as (select 0 where length(value) > 0 union all select i + 3 from g where i + 3 < length(value)) select i from g) limit -1))) end, ',') || '}' from (
    select '' as key, 0 as kind, null as value where 0 union all values
    ('"id":', 0, new."id"),
    ('"n":', 0, new."n"),
    ('"note":', 0, new."note"))));
end;
CREATE TRIGGER "rowhook_item_update" after update on "items" for each row
when (old."id" is not new."id" collate binary or
    (old."n" is not new."n" collate binary or
    old."note" is not new."note" collate binary))
begin
    insert into rowhook_logged_actions (resource_id, action, row_data, old_values)
    values (1, 2, (select '{' || group_concat(key || case typeof(value) when 'null' then 'null' when 'integer' then case when kind = 1 and value = 1 then 'true' when kind = 1 and value = 0 then 'false' else cast(value as text) end when 'real' then case value when 9e999 then '"Infinity"' when -9e999 then '"-Infinity"' else case when cast(printf('%!.15g', value) as real) = value then printf('%!.15g', value) else printf('%!.17g', value) end end when 'text' then case when kind = 2 and json_valid(value) then json(value) else json_quote(value || '') end else (select '"' || case length(value) % 3 when 0 then s when 1 then substr(s, 1, length(s) - 2) || '==' else substr(s, 1, length(s) - 1) || '=' end || '"' from (select coalesce(group_concat(substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + (v >> 18), 1) || substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + ((v >> 12) & 63), 1) || substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + ((v >> 6) & 63), 1) || substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + (v & 63), 1), ''), '') as s from (select ((instr(x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', substr(value, i + 1, 1)) - 1) << 16) | ((instr(x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', substr(value, i + 2, 1)) - 1) << 8) | (instr(x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', substr(value, i + 3, 1)) - 1) as v from (with recursive g(i) as (select 0 where length(value) > 0 union all select i + 3 from g where i + 3 < length(value)) select i from g) limit -1))) end, ',') || '}' from (
    select '' as key, 0 as kind, null as value where 0 union all values
    ('"id":', 0, new."id"),
    ('"n":', 0, new."n"),
    ('"note":', 0, new."note"))),
    (select '{' || group_concat(key || case typeof(value) when 'null' then 'null' when 'integer' then case when kind = 1 and value = 1 then 'true' when kind = 1 and value = 0 then 'false' else cast(value as text) end when 'real' then case value when 9e999 then '"Infinity"' when -9e999 then '"-Infinity"' else case when cast(printf('%!.15g', value) as real) = value then printf('%!.15g', value) else printf('%!.17g', value) end end when 'text' then case when kind = 2 and json_valid(value) then json(value) else json_quote(value || '') end else (select '"' || case length(value) % 3 when 0 then s when 1 then substr(s, 1, length(s) - 2) || '==' else substr(s, 1, length(s) - 1) || '=' end || '"' from (select coalesce(group_concat(substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + (v >> 18), 1) || substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + ((v >> 12) & 63), 1) || substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + ((v >> 6) & 63), 1) || substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + (v & 63), 1), ''), '') as s from (select ((instr(x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', substr(value, i + 1, 1)) - 1) << 16) | ((instr(x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', substr(value, i + 2, 1)) - 1) << 8) | (instr(x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', substr(value, i + 3, 1)) - 1) as v from (with recursive g(i) as (select 0 where length(value) > 0 union all select i + 3 from g where i + 3 < length(value)) select i from g) limit -1))) end, ',') || '}' from (
    select '' as key, 0 as kind, null as value, null as next where 0 union all values
    ('"id":', 0, old."id", new."id"),
    ('"n":', 0, old."n", new."n"),
    ('"note":', 0, old."note", new."note"))
    where value is not next or typeof(value) is not typeof(next)));
end;
CREATE TRIGGER "rowhook_item_delete" after delete on "items" for each row
begin
    insert into rowhook_logged_actions (resource_id, action, row_data)
    values (1, 3, (select '{' || group_concat(key || case typeof(value) when 'null' then 'null' when 'integer' then case when kind = 1 and value = 1 then 'true' when kind = 1 and value = 0 then 'false' else cast(value as text) end when 'real' then case value when 9e999 then '"Infinity"' when -9e999 then '"-Infinity"' else case when cast(printf('%!.15g', value) as real) = value then printf('%!.15g', value) else printf('%!.17g', value) end end when 'text' then case when kind = 2 and json_valid(value) then json(value) else json_quote(value || '') end else (select '"' || case length(value) % 3 when 0 then s when 1 then substr(s, 1, length(s) - 2) || '==' else substr(s, 1, length(s) - 1) || '=' end || '"' from (select coalesce(group_concat(substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + (v >> 18), 1) || substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + ((v >> 12) & 63), 1) || substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + ((v >> 6) & 63), 1) || substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 1 + (v & 63), 1), ''), '') as s from (select ((instr(x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', substr(value, i + 1, 1)) - 1) << 16) | ((instr(x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', substr(value, i + 2, 1)) - 1) << 8) | (instr(x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', substr(value, i + 3, 1)) - 1) as v from (with recursive g(i) as (select 0 where length(value) > 0 union all select i + 3 from g where i + 3 < length(value)) select i from g) limit -1))) end, ',') || '}' from (
    select '' as key, 0 as kind, null as value where 0 union all values
    ('"id":', 0, old."id"),
    ('"n":', 0, old."n"),
    ('"note":', 0, old."note"))));
end;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('rowhook_resources',1);
INSERT INTO "sqlite_sequence" VALUES('rowhook_receivers',7);
INSERT INTO "sqlite_sequence" VALUES('rowhook_subscriptions',11);
INSERT INTO "sqlite_sequence" VALUES('rowhook_activity_intervals',11);
INSERT INTO "sqlite_sequence" VALUES('rowhook_headers',1);
INSERT INTO "sqlite_sequence" VALUES('rowhook_api_keys',4);
INSERT INTO "sqlite_sequence" VALUES('rowhook_logged_actions',21);
INSERT INTO "sqlite_sequence" VALUES('rowhook_events',62);
COMMIT;
