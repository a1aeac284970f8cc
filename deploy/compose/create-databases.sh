# Runs once, when the data directory is empty: a role for each service, and a database that only it
# may enter.
for service in auth orders payments inventory; do
  psql -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d postgres \
    -v role="signet_$service" -v password="$(cat "/run/signet/$service-password")" <<'SQL'
create role :"role" login password :'password';
create database :"role" owner :"role";
revoke all on database :"role" from public;
SQL
done
