#!/usr/bin/env bash
# Makes the static customers and products once, under ARTIFACT_ROOT; every chunk uses them.
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/backlog_bear.sh" lookups "$@"
