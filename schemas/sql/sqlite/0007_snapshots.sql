-- States kept beside the log: a cache. All of it may be deleted at any time, and is made again.
-- fold says how events were folded and into what shapes; rows of another fold are of no use.

-- One workspace at one position, without what was settled by then.
create table snapshots (
    workspace text not null,
    fold text not null,
    position integer not null,
    anchor blob not null,               -- digest of the log's row at this position
    body blob not null,
    primary key (workspace, fold, position)
);

-- What retries of commands are recognised by, of the newest snapshot alone, in pieces.
create table snapshot_commands (
    workspace text not null,
    fold text not null,
    position integer not null,            -- of the snapshot
    piece integer not null,
    body blob not null,
    primary key (workspace, fold, position, piece)
);

-- Closed conversations and the like, as they were at the position of a snapshot. A later row of the
-- same thing takes its place from there on; none is ever replaced.
create table settled (
    workspace text not null,
    fold text not null,
    kind text not null,      -- conversation, visitor, acquaintance
    id text not null,
    position integer not null,
    body blob not null,
    primary key (workspace, fold, kind, id, position)
);
