#!/usr/bin/env bash
# Runs every suite, also after one has failed, and counts at the end what passed.
# The program's own tests run beside the others. No suite has a limit that a busy
# machine reaches: an hour each, where the longest takes minutes.
set -uo pipefail
cd "$(dirname "$0")/.."
export CGO_CFLAGS="${CGO_CFLAGS:--O2 -g -Wno-deprecated-declarations}" # NVML's bindings declare what newer drivers deprecate

results=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$results"' EXIT
trap 'exit 130' INT TERM

# suite NAME COMMAND... keeps the command's exit status: 0 passed, 77 cannot run
# here, else failed.
suite() {
	local name=$1 started=$SECONDS status=0
	shift
	echo "== $name"
	"$@" || status=$?
	echo "== $name: exit $status after $((SECONDS - started)) s"
	echo "$status" >"$results/$name.status"
}

lint() { make --no-print-directory lint; }

# vulnerabilities passes only where the database could be asked.
vulnerabilities() {
	local said status=0
	(cd test && go build -o ../bin/govulncheck golang.org/x/vuln/cmd/govulncheck) || return
	said=$(./bin/govulncheck ./... 2>&1) || status=$?
	echo "$said"
	if [[ $status -ne 0 && $said == *'fetching vulnerabilities:'* ]]; then
		echo 'skipped: the vulnerability database cannot be reached from here'
		return 77
	fi
	return "$status"
}

# program runs with the race detector. It makes Parquet's encoders and compressors
# twenty times slower, so of store only what reads and merges in goroutines does.
program() {
	local others status=0
	others=$(go list ./internal/... ./jobs/... ./site | grep -v '/internal/store$') || return
	# shellcheck disable=SC2086
	go test -race -timeout 60m $others || status=$?
	go test -timeout 60m ./internal/store || status=$?
	go test -race -timeout 60m -run '^TestMerge|ReadsAhead|TestOpen|TestCreate' ./internal/store || status=$?
	return "$status"
}

site() { (cd site && npm run check && npm test); }

# module runs packages of test/, uncached: they also read files of the module above.
module() { (cd test && go test -count=1 -timeout 60m "$@"); }

suite program program >"$results/program.log" 2>&1 &
suite lint lint
suite vulnerabilities vulnerabilities
suite site site
suite deploy module ./deploy ./image
suite s3 module ./s3
suite browser module ./browser
suite duckdb module ./lake
wait
cat "$results/program.log"

passed=() failed=() skipped=()
for name in program lint vulnerabilities site deploy s3 browser duckdb; do
	case $(cat "$results/$name.status" 2>/dev/null) in
	0) passed+=("$name") ;;
	77) skipped+=("$name") ;;
	*) failed+=("$name") ;;
	esac
done
((${#skipped[@]} == 0)) || echo "skipped: ${skipped[*]}"
((${#failed[@]} == 0)) || echo "failed: ${failed[*]}"
echo "suites: ${#passed[@]} passed, ${#failed[@]} failed, ${#skipped[@]} skipped"
((${#failed[@]} == 0))
