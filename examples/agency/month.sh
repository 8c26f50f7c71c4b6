#!/usr/bin/env bash
# A month of an agency: `examples/agency/month.sh [FOLDER]` builds, tests and publishes the plugins of its clients, takes
# in their usage, closes October and writes a statement for each into FOLDER (agency-month). Needs `tollgate` on the PATH,
# curl, a Rust toolchain for WebAssembly, and Node with `npm install` done in sdk/js and in plugins/recalls.
set -euo pipefail
OUT=$(mkdir -p "${1:-agency-month}" && cd "${1:-agency-month}" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
LISTEN=${TOLLGATE_LISTEN:-127.0.0.1:8080}
MONTH=2026-10
declare -A PLUGIN=([harbor-legal]=matters [smile-dental]=recalls [keystone-realty]=desk [apex-motors]=desk)
CLIENTS=(harbor-legal smile-dental keystone-realty apex-motors)

# ask KEY METHOD PATH [BODY [MEDIA-TYPE]]
ask() {
    curl -sS --fail-with-body -X "$2" "http://$LISTEN$3" -H "Authorization: Bearer $1" \
        -H "Content-Type: ${5-application/json}" ${4+--data-binary "$4"} || { echo " ($2 $3)" >&2; return 1; }
}
# key NAME SCOPE: makes a key, as the agency
key() { ask "$AGENCY" POST /v1/keys "{\"name\": \"$1\", \"scope\": $2}" | sed 's/.*"key":"\([^"]*\)".*/\1/'; }

echo "== plugins: Rust for Harbor Legal, JavaScript for Smile Dental, one shared by two clients"
for plugin in matters recalls desk; do
    tollgate plugin test "plugins/$plugin" --trials "${TRIALS:-16}" | tail -n 1 | sed "s/^/$plugin: /"
done

echo "== the platform, and the agency's key"
tollgate init --data "$OUT/data" | tail -n 1 > "$OUT/platform.key"
tollgate serve --data "$OUT/data" --listen "$LISTEN" --set request_timeout=5m --set log_level=warn > "$OUT/serve.log" 2>&1 &
SERVER=$!
trap 'kill $SERVER 2>/dev/null; wait $SERVER 2>/dev/null || true' EXIT
until curl -sf "http://$LISTEN/readyz" > /dev/null; do kill -0 $SERVER && sleep 0.1; done
PLATFORM=$(cat "$OUT/platform.key")
ask "$PLATFORM" POST /v1/price-books "{\"id\": \"network\", \"prices\": $(cat ../rate/prices.json)}" > /dev/null
ask "$PLATFORM" POST /v1/builders '{"id": "brightside", "name": "Brightside Agency",
    "app_terms": {"platform_share": "0.20", "surcharge_max": "1000", "price_book": "network"}}' > /dev/null
AGENCY=$(ask "$PLATFORM" POST /v1/keys '{"name": "Brightside", "scope": {"type": "builder", "builder": "brightside"}}' |
    sed 's/.*"key":"\([^"]*\)".*/\1/')

echo "== publish"
for plugin in matters recalls desk; do
    TOLLGATE_API_KEY=$AGENCY tollgate plugin publish "plugins/$plugin" --to "http://$LISTEN" > "$OUT/$plugin.published"
done

echo "== each client: an app, a tariff of its own, a key that sends and one that reads; then its month"
for client in "${CLIENTS[@]}"; do
    ask "$AGENCY" POST /v1/apps "{\"id\": \"$client\", \"name\": \"$client\", \"currency\": \"USD\"}" > /dev/null
    ask "$AGENCY" POST /v1/tariffs "{\"id\": \"$client-2026\", \"app\": \"$client\", \"plugin\": \"${PLUGIN[$client]}\",
        \"effective_from\": \"2026-01-01T00:00:00Z\", \"settings\": $(cat "clients/$client.json")}" > /dev/null
    ingest=$(key "$client sends" "{\"type\": \"app_ingest\", \"app\": \"$client\"}")
    ask "$ingest" POST '/v1/events?receipt=summary' "@october/$client.ndjson" application/x-ndjson > "$OUT/$client.sent"
    ask "$AGENCY" POST "/v1/apps/$client/periods/$MONTH/close" '{}' > /dev/null
    key "$client reads" "{\"type\": \"customer_read\", \"app\": \"$client\", \"customer\": \"$client\"}" > "$OUT/$client.key"
done

echo "== a statement for each client, read with its own key"
mkdir -p "$OUT/statements"
for client in "${CLIENTS[@]}"; do
    path="/v1/customers/$client/statements/$MONTH?app=$client"
    ask "$(cat "$OUT/$client.key")" GET "$path" > "$OUT/statements/$client.json"
    curl -sS --fail "http://$LISTEN$path" -H "Authorization: Bearer $(cat "$OUT/$client.key")" -H 'Accept: text/html' \
        > "$OUT/statements/$client.html"
    echo "$client ($(sed 's/.*"total":"\([^"]*\)".*/\1/' "$OUT/statements/$client.json") USD): $OUT/statements/$client.html"
    for other in "${CLIENTS[@]}"; do
        [[ $other == "$client" ]] || curl -sS -o /dev/null -w "$client asks for $other: %{http_code}\n" \
            "http://$LISTEN/v1/customers/$other/statements/$MONTH?app=$other" \
            -H "Authorization: Bearer $(cat "$OUT/$client.key")"
    done > "$OUT/$client.others"
done
cat "$OUT"/*.others > "$OUT/others"
grep -c ': 404$' "$OUT/others" | sed 's/$/ of 12 times a client asked for the statement of another: not found/'

trap - EXIT
kill $SERVER && wait $SERVER
tollgate ledger verify --data "$OUT/data" | tail -n 1
