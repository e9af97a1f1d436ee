-- The log. The table is what version 9.5 of the Python library `eventsourcing` makes for text ids,
-- so that its recorders read and write beside us. Rows are never changed or deleted.
--   originator_id       the workspace
--   originator_version  the position: 1, 2, 3 ... without gaps
--   topic               the event's tag, such as conversation_assigned.v1
--   state               the envelope as JSON, byte for byte as first written
CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB, PRIMARY KEY (originator_id, originator_version));

-- The register of workspaces. Rows are only ever added.
create table workspaces (
    workspace text primary key,
    partition integer not null,
    created_at integer not null          -- Unix milliseconds
) without rowid;
