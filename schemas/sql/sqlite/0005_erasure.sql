-- Where a text stands in the log: at the first event of the command that brought it. Erasing takes
-- what was said up to the erasure; what was said after it stays. Rows from before have no position.
alter table vault add column position integer not null default 0;

-- Random bytes that the services keep for themselves, each made once.
create table service_keys (
    name text primary key,
    value blob not null
) without rowid;
