#!/bin/sh
# The part of the official image's entrypoint that the lab needs: first start makes the database
# and its user from MARIADB_*; every start serves it.
set -eu
if [ "${1:-}" = health ]; then
  MYSQL_PWD="$MARIADB_PASSWORD" mariadb -h127.0.0.1 -u"$MARIADB_USER" -e 'SELECT 1' "$MARIADB_DATABASE" > /dev/null
  exit
fi
: "${MARIADB_ROOT_PASSWORD:?}" "${MARIADB_DATABASE:?}" "${MARIADB_USER:?}" "${MARIADB_PASSWORD:?}"
data=/var/lib/mysql
mkdir -p /run/mysqld && chown mysql:mysql /run/mysqld "$data"
if [ ! -d "$data/mysql" ]; then
  mariadb-install-db --user=mysql --datadir="$data" --skip-test-db --auth-root-authentication-method=normal > /dev/null
  umask 077
  cat > /run/mysqld/first.sql <<SQL
CREATE DATABASE IF NOT EXISTS \`$MARIADB_DATABASE\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE USER IF NOT EXISTS '$MARIADB_USER'@'%' IDENTIFIED BY '$MARIADB_PASSWORD';
GRANT ALL ON \`$MARIADB_DATABASE\`.* TO '$MARIADB_USER'@'%';
GRANT PROCESS ON *.* TO '$MARIADB_USER'@'%';
GRANT SELECT ON mysql.slow_log TO '$MARIADB_USER'@'%';
ALTER USER 'root'@'localhost' IDENTIFIED BY '$MARIADB_ROOT_PASSWORD';
SQL
  chown mysql:mysql /run/mysqld/first.sql
  set -- --init-file=/run/mysqld/first.sql
fi
exec mariadbd --user=mysql --datadir="$data" --bind-address=0.0.0.0 --skip-name-resolve \
  --innodb-buffer-pool-size=64M --performance-schema=OFF --max-connections=100 \
  --slow-query-log=ON --log-output=TABLE --long-query-time=1 "$@"
