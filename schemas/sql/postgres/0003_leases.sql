-- Who may write which partition, until when by this database's clock. The epoch only ever rises.
create table leases (
    partition integer primary key,
    owner text not null,                 -- empty when given up
    epoch bigint not null,
    expires_at timestamptz not null
) with (fillfactor = 10);                -- renewed every second: updates stay on their page
