# Runs once, when the data directory is empty: a role for each service, and a database that only it
# may enter. psql reads the passwords itself, so that no command line holds one.
psql -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d postgres <<'SQL'
revoke all on database postgres from public;
revoke all on database template1 from public;
SQL
for service in auth orders payments inventory; do
  psql -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d postgres -v role="signet_$service" <<SQL
\\set password \`cat /run/signet/$service-password\`
create role :"role" login password :'password';
create database :"role" owner :"role";
revoke all on database :"role" from public;
SQL
done
