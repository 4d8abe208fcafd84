#!/usr/bin/env bash
# Fills a lake with years of the shop's days; run again, it goes on where it stopped.
# START_DATE, END_DATE, CHUNK_SIZE, BUCKET, PREFIX, MESSINESS_LEVEL, ID_STATE_FILE, CHECKPOINT_FILE,
# POST_EXPORT_HOOK, ARTIFACT_ROOT, TARGET_ROOT and CONFIG_PATH are read by the command itself, and
# options are passed on. Without BUCKET nothing is uploaded.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
program="$(command -v retail-datagen || echo "$root/.venv/bin/retail-datagen")"
if [[ ! -x "$program" ]]; then
  echo "error: retail-datagen is neither on PATH nor in $root/.venv/bin; run: pip install $root" >&2
  exit 127
fi
export CONFIG_PATH="${CONFIG_PATH:-$root/gen_config/ecom_sales_gen_quick.yaml}"
exec "$program" backlog "$@"
