-- Personal texts, written in the transaction of the event that cites them. Rows may be deleted:
-- that is what the table is for. The same subject id may live in two workspaces.
create table vault (
    ref text primary key,
    workspace text not null,
    subject text not null,               -- operator:ana, visitor:v-17, conversation:c-1
    body bytea not null
);

create index vault_subject_idx on vault (workspace, subject);
