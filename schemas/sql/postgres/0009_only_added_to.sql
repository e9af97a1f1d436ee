-- What is only ever added to refuses everything else, whoever asks, its owner and a superuser too.
-- The privileges of the services' role say the same (`fernamt migrate --service-role`); this holds
-- where somebody is connected as more than that. Nothing of Fernamt ever needs the way round:
-- `alter table ... disable trigger only_added_to`, in one's own name.
create function refuse_but_additions() returns trigger language plpgsql as $$
begin
    raise exception '% is only ever added to: % refused', tg_table_name, lower(tg_op)
        using errcode = 'insufficient_privilege',
        hint = 'To erase what somebody said or is called: fernamt erase. It lies in the vault.';
end
$$;

create trigger only_added_to before update or delete or truncate on stored_events
    for each statement execute function refuse_but_additions();
create trigger only_added_to before update or delete or truncate on log_seals
    for each statement execute function refuse_but_additions();
create trigger only_added_to before update or delete or truncate on workspaces
    for each statement execute function refuse_but_additions();
