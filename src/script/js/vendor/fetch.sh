#!/bin/sh
# Fetches the libraries beside this file from npm, in the versions named here (`make vendor`).
set -e
cd "$(dirname "$0")"
take() { # package, version, file within it, file here
  npm pack --silent "$1@$2" >/dev/null
  archive="$1-$2.tgz"
  tar -xzOf "$archive" "package/$3" >"$4"
  tar -xzOf "$archive" package/LICENSE >"$1.LICENSE"
  rm "$archive"
}
take jsonata 2.2.2 jsonata.min.js jsonata.min.js
take moment 2.30.1 min/moment.min.js moment.min.js
take moment-timezone 0.5.48 builds/moment-timezone-with-data-1970-2030.min.js moment-timezone.min.js
# No links to files that are not here.
sed -i '/^\/\/# sourceMappingURL=/d' moment.min.js
