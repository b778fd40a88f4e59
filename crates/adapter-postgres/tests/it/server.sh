# A PostgreSQL of its own for one program: in a temporary folder, on a socket in it, gone with the one who started it.
# $1 is the folder of the server's programs. Answers with its folder once it takes connections. Each line "again" kills
# it as if the machine had lost power over it, and starts it anew; the end of the input stops it.
set -eu
cd /
bin=$1
dir=$(mktemp -d)
trap '"$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$dir"' EXIT
"$bin/initdb" --pgdata="$dir/data" --username=tzero --auth=trust --encoding=UTF8 --locale=C --no-sync >"$dir/initdb" 2>&1 || {
  cat "$dir/initdb" >&2
  exit 1
}
word=again
while [ "$word" = again ]; do
  tries=0
  # After a kill the processes of the old server need a moment to notice.
  until "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -o "-k '$dir' -c listen_addresses= -c fsync=off -c full_page_writes=off \
    -c max_connections=300 -c shared_buffers=64MB -c max_wal_size=4GB" start >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ]; then
      cat "$dir/log" >&2
      exit 1
    fi
    sleep 0.1
  done
  echo "$dir"
  read -r word || word=stop
  if [ "$word" = again ]; then kill -KILL "$(head -n 1 "$dir/data/postmaster.pid")"; fi
done
