#!/bin/sh
# Called once by PostgreSQL's image, when it has made the database: the owner of the tables, and the
# roles that `fernamt migrate` gives what they need. None of them is a superuser.
#
# The image may read it into its own shell, so it leaves that as it is.
set -e

as_superuser() {
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" "$@"
}

for role in fernamt_owner fernamt_services fernamt_auditor; do
    PASSFILE="${SECRETS:-/run/secrets}/$role.pgpass" as_superuser --set role="$role" <<'END'
\set password `cut -d: -f5 "$PASSFILE"`
create role :"role" login password :'password';
END
done

as_superuser --set database="$POSTGRES_DB" <<'END'
alter database :"database" owner to fernamt_owner;
END
