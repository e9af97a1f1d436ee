-- The log. Table, index and type are what version 9.5 of the Python library `eventsourcing` makes
-- for text ids, so that its recorders read and write beside us. Rows are never changed or deleted.
-- notification_id comes from a sequence: its order is not the order of commits. Nothing reads by it.
create table stored_events (
    originator_id text not null,         -- the workspace
    originator_version bigint not null,  -- the position: 1, 2, 3 ... without gaps
    topic text,                          -- the event's tag, such as conversation_assigned.v1
    state bytea,                         -- the envelope as JSON, byte for byte as first written
    notification_id bigserial,
    primary key (originator_id, originator_version)
) with (
    autovacuum_enabled = true,
    autovacuum_vacuum_threshold = 100000000,
    autovacuum_vacuum_scale_factor = 0.5,
    autovacuum_analyze_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.01
);

create unique index stored_events_notification_id_idx on stored_events (notification_id asc);

create type stored_event_text as (
    originator_id text,
    originator_version bigint,
    topic text,
    state bytea
);

-- The register of workspaces. Rows are only ever added.
create table workspaces (
    workspace text primary key,
    partition integer not null,
    created_at bigint not null           -- Unix milliseconds
);
