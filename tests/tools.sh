#!/bin/sh
# Sees to the programs that some tests drive: a browser and MQTT clients of other people.
[ -n "$FLOWRILL_CORPUS" ] || echo "Left out: the test with real flow files (FLOWRILL_CORPUS names no folder)."
missing=""
[ -n "$CHROMIUM" ] || command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || missing="$missing chromium"
command -v mosquitto_pub >/dev/null 2>&1 || missing="$missing mosquitto-clients"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "Not found and not installed:$missing. The tests that need them will say that they are left out."
