-- How far the feeds of each workspace were sent; all that stands behind it is sent when somebody
-- begins. What is in a log by now was told by the release before, which kept no such account.
create table notifier_positions (
    workspace text primary key,
    position bigint not null
) with (fillfactor = 50);                -- written several times a second: updates stay on their page

insert into notifier_positions (workspace, position)
select originator_id, max(originator_version) from stored_events group by originator_id;
