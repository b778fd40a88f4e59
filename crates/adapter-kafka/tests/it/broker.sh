# A Kafka broker of its own for one program: in a temporary folder, on the ports that it is given, gone with the one who
# started it. $1 is the folder of the jars, $2 the settings, $3 those of its log, $4 the port for clients, $5 the
# controller's. A line "start" starts it, a line "kill" kills it as if the machine had lost power over it; each is answered
# with the folder once it is done. The end of the input kills it for good.
set -eu
cd /
jars=$1 settings=$2 logging=$3 port=$4 controller=$5
dir=$(mktemp -d)
pid=
kill_it() {
  [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
  [ -z "$pid" ] || wait "$pid" 2>/dev/null || true
  pid=
}
trap 'kill_it; rm -rf "$dir"' EXIT
{
  cat "$settings"
  echo
  echo "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller"
  echo "controller.quorum.bootstrap.servers=127.0.0.1:$controller"
  echo "log.dirs=$dir/data"
  echo "offsets.topic.num.partitions=1"
  echo "log.retention.check.interval.ms=1000"
} >"$dir/server.properties"
java="java -Xms64m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
$java -Dlog4j2.level=ERROR -cp "$jars/*" kafka.tools.StorageTool format --standalone \
  --cluster-id dHplcm8tdGVzdHMtb2YtMQ --config "$dir/server.properties" >"$dir/log" 2>&1 || {
  cat "$dir/log" >&2
  exit 1
}
while read -r word; do
  kill_it
  if [ "$word" = start ]; then
    $java "-Dlog4j2.configurationFile=$logging" -cp "$jars/*" kafka.Kafka "$dir/server.properties" \
      >>"$dir/log" 2>&1 </dev/null &
    pid=$!
  fi
  echo "$dir"
done
