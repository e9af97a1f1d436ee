-- Seals over the log. Rows are only ever added. A second seal that begins at the same event is
-- refused by the key: the chain has no branches.
create table log_seals (
    workspace text not null,
    first integer not null,              -- position of the first event it covers
    upto integer not null,               -- and of the last
    digests blob not null,               -- 16 bytes for each event, so that the first bad one shows
    hash blob not null,                  -- SHA-256 over the hash before, upto and digests
    signature blob not null,             -- Ed25519 over workspace, upto and hash
    key blob not null,                   -- the public key to it
    primary key (workspace, first)
);
