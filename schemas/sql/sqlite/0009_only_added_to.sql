-- What is only ever added to refuses everything else. Whoever may write the file could drop these
-- triggers, as they could change its bytes; they are there for the statement typed by mistake.
create trigger stored_events_no_update before update on stored_events
begin
    select raise(abort, 'stored_events is only ever added to: update refused');
end;
create trigger stored_events_no_delete before delete on stored_events
begin
    select raise(abort, 'stored_events is only ever added to: delete refused');
end;
create trigger log_seals_no_update before update on log_seals
begin
    select raise(abort, 'log_seals is only ever added to: update refused');
end;
create trigger log_seals_no_delete before delete on log_seals
begin
    select raise(abort, 'log_seals is only ever added to: delete refused');
end;
create trigger workspaces_no_update before update on workspaces
begin
    select raise(abort, 'workspaces is only ever added to: update refused');
end;
create trigger workspaces_no_delete before delete on workspaces
begin
    select raise(abort, 'workspaces is only ever added to: delete refused');
end;
