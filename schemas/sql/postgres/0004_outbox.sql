-- What is to be sent by e-mail and to webhooks. A row holds ids and references, never a personal
-- text: what is sent is put together when it is sent.
create table outbox (
    id text primary key,                 -- W:POSITION[:n]:CHANNEL:RECIPIENT, the same however often made
    workspace text not null,
    channel text not null,               -- mail, webhook
    recipient text not null,             -- the operator's or the webhook's id
    position bigint not null,            -- of the event that calls for it
    body bytea not null,
    created_at bigint not null,          -- Unix milliseconds, as all times here
    state text not null default 'waiting',  -- waiting, done, dead
    attempts integer not null default 0,
    next_at bigint not null,             -- not before; when it died, or was done
    last_error text not null default ''
);

create index outbox_waiting_idx on outbox (workspace, channel, recipient, next_at, position, id)
    where state = 'waiting';
create index outbox_dead_idx on outbox (workspace, position, id) where state = 'dead';
create index outbox_done_idx on outbox (workspace, position) where state = 'done';
