#!/usr/bin/env bash
# The services command against itself: starts all stores in a folder of its own, uses them, kills a Redis primary, waits
# for the replica to take over, brings everything back, stops everything. Any step that is not as it should be ends it.
set -euo pipefail
folder="$1" jars="$2"

services() { "$XTASK" services --folder "$folder" "$@"; }
wrong() { echo "services suite: $*" >&2; exit 1; }
value() { sed -n "s/^$1 = \[\?\"\([^\"]*\)\".*/\1/p" "$folder.toml"; }
port() { services status | awk -v name="$1" '$1 == name { print $4 }'; }
ask() { timeout 10 redis-cli -h 127.0.0.1 -p "$1" "${@:2}"; }
kafka_tool() {
    timeout 60 java -XX:TieredStopAtLevel=1 -Dlog4j2.level=ERROR -cp "$jars/*" "org.apache.kafka.tools.$1" \
        --bootstrap-server "$(value brokers)" "${@:2}"
}
# Looks every 0.2 s until the command succeeds; wrong when it has not after 30 s.
until_true() {
    for _ in $(seq 150); do
        if "$@"; then return; fi
        sleep 0.2
    done
    wrong "not after 30 s: $*"
}
# Its slot is 3300, one of redis-1's.
key='{b}'
trap 'services down --wipe' EXIT
services down --wipe

echo "── everything comes up; again is quick and changes nothing"
services up
services status
before=$(services status | awk '{ print $1, $3 }')
again=$(services up)
[ "$(grep -c 'already up' <<< "$again")" = 3 ] || wrong "the second up did more than look: $again"
[ "$(services status | awk '{ print $1, $3 }')" = "$before" ] || wrong "the second up changed a process"
[ "$(stat -c %a "$folder.toml")" = 600 ] || wrong "others can read the password in $folder.toml"

echo "── each store keeps what it is given, with the settings of deploy/"
ask "$(port redis-1)" -c set "$key" 1 > /dev/null
[ "$(ask "$(port redis-1)" config get maxmemory-policy | tail -1)" = noeviction ] || wrong "Redis may evict"
psql -qAt "$(value url)" -c 'CREATE EXTENSION btree_gist; CREATE TABLE kept AS SELECT 1 AS one'
[ "$(psql -qAt "$(value url)" -c 'SHOW synchronous_commit')" = on ] || wrong "PostgreSQL answers before the disk"
kafka_tool TopicCommand --create --topic kept --partitions 1
echo word | kafka_tool ConsoleProducer --topic kept
kafka_tool ConsoleProducer --topic misspelt --command-property max.block.ms=2000 <<< word > /dev/null 2>&1 || true
[ "$(kafka_tool TopicCommand --list)" = kept ] || wrong "Kafka made a topic that nobody asked for"

echo "── PostgreSQL and Kafka are killed, and come back with what they had"
services kill postgres
services kill kafka
if services status > /dev/null 2>&1; then wrong "status finds nothing wrong with two stores killed"; fi
services restart postgres
services restart kafka
[ "$(psql -qAt "$(value url)" -c 'SELECT one FROM kept')" = 1 ] || wrong "PostgreSQL lost what it had committed"
read_back=$(kafka_tool consumer.ConsoleConsumer --topic kept --from-beginning --max-messages 1 --timeout-ms 20000)
[ "$read_back" = word ] || wrong "Kafka lost what it had acknowledged, and gave: $read_back"

echo "── a Redis primary is killed; its replica takes over; it comes back as a replica"
primary=redis-1
killed=$(port "$primary")
others=$(port redis-2)
ask "$killed" role | head -1 | grep -q master || wrong "$primary is no primary"
[ "$(ask "$killed" get "$key")" = 1 ] || wrong "$primary does not have $key"
ask "$killed" wait 1 5000 > /dev/null
services kill "$primary"
# Until then the others may still believe in it, and it would come back as the primary that it was.
taken_over() { [ "$(ask "$others" -c get "$key" 2> /dev/null)" = 1 ]; }
until_true taken_over
services up
# It learns of its successor from the others, a moment after it answers.
is_replica() { ask "$killed" role | head -1 | grep -q slave; }
until_true is_replica
services status

echo "── a foreign process under a noted pid is not touched; down stops the rest"
cp "$folder/kafka/pid" "$folder/kafka/pid.real"
sleep 300 & foreign=$!
echo "$foreign" > "$folder/kafka/pid"
if services kill kafka 2> /dev/null; then wrong "kill took a foreign process for Kafka"; fi
kill -0 "$foreign" || wrong "the foreign process was killed"
mv "$folder/kafka/pid.real" "$folder/kafka/pid"
kill "$foreign"
services down
[ ! -e "$folder.toml" ] || wrong "the addresses are still there after down"
if pgrep -f "$folder/" > /dev/null; then wrong "something still runs in $folder: $(pgrep -af "$folder/")"; fi

echo "── what was stopped in good order comes back as it was"
services up
[ "$(ask "$(port redis-2)" -c get "$key")" = 1 ] || wrong "Redis lost a value over a stop"
[ "$(psql -qAt "$(value url)" -c 'SELECT one FROM kept')" = 1 ] || wrong "PostgreSQL lost a row over a stop"
services up --redis "127.0.0.1:$(port redis-3)" --kafka "$(value brokers)" --postgres "$(value url)" |
    grep -c 'answers elsewhere' | grep -qx 3 || wrong "stores named by address were not taken as they are"
if services up --redis 127.0.0.1:1 2> /dev/null; then wrong "a Redis that is not there was taken"; fi
echo "services: as it should be"
