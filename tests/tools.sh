#!/bin/sh
# Sees to the programs that some tests drive: a browser and MQTT clients of other people.
cd "$(dirname "$0")/.." || exit 1
[ -n "$FLOWRILL_CORPUS" ] || echo "Left out: the test with real flow files (FLOWRILL_CORPUS names no folder)."
missing=""
[ -n "$CHROMIUM" ] || command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || missing="$missing chromium"
command -v mosquitto_pub >/dev/null 2>&1 || missing="$missing mosquitto-clients"
python3 -m pip --version >/dev/null 2>&1 || missing="$missing python3-pip"
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null && missing=""
fi
[ -z "$missing" ] || echo "Not found and not installed:$missing. The tests that need them will say that they are left out."

# Python's MQTT client, into a folder of its own; MQTT.js is among the editor's packages.
wanted="$(cat tests/clients/requirements.txt)"
if [ "$(cat target/python/.installed 2>/dev/null)" != "$wanted" ]; then
  rm -rf target/python
  if PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-compile \
    --target target/python --requirement tests/clients/requirements.txt; then
    echo "$wanted" >target/python/.installed
  else
    echo "Not installed: $wanted. The tests that need it will say that they are left out."
  fi
fi
