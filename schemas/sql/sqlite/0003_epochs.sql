-- The lock file on the directory is the lease; this one row makes its epoch rise with every taking.
create table epochs (
    one integer primary key check (one = 1),
    epoch integer not null
);

insert into epochs (one, epoch) values (1, 0);
