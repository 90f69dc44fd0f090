# Needed: git, make, Go and Node. `make test` installs what else it needs where
# it is missing, from Debian's packages: Chromium, a Korean font, and a C compiler
# for the race detector and DuckDB.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
PACKAGES := ./internal/... ./jobs/... ./site

# NVML's bindings declare what newer drivers deprecate.
export CGO_CFLAGS ?= -O2 -g -Wno-deprecated-declarations

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## a simulated GPU cluster and its report; CLUSTER=current watches the one that kubectl uses, and writes nothing to it
	./bin/k8s-monitor demo $(if $(filter current,$(CLUSTER)),--kubeconfig "$${KUBECONFIG:-$$HOME/.kube/config}")

.PHONY: site
site: site/dist/index.html ## the report site, into site/dist

site/node_modules/.package-lock.json: site/package-lock.json
	cd site && npm ci --no-audit --no-fund
	touch $@

site/dist/index.html: site/node_modules/.package-lock.json site/index.html site/package.json site/tsconfig.json site/vite.config.ts docs/schema.md \
		$(shell find site/src site/public internal/views/questions -type f)
	cd site && npm run build
	touch $@

.PHONY: build
build: site ## the program, into bin
	CGO_ENABLED=0 go build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/k8s-monitor ./jobs

.PHONY: test
test: site build packages ## everything: lint, the program, the site, and both against a real S3 gateway, DuckDB and a browser
	./test/suites.sh

# The packages that compare golden files, and those of them below test/.
GOLDENS = $$(go list -f '{{range $$i := .TestImports}}{{if eq $$i "$(GOLDEN)"}}{{$$.ImportPath}}{{end}}{{end}}' $(PACKAGES))
GOLDEN := github.com/company/k8s-resource-monitor/internal/golden

.PHONY: update
update: ## write golden files and generated documents anew; look at the difference before you commit it
	go test -count=1 $(GOLDENS) -update
	cd test && go test -count=1 -run TestExplorerAnswers ./lake -update

.PHONY: verify
verify: ## fail if a golden file or a generated document is stale
	go test -count=1 $(GOLDENS)
	cd test && go test -count=1 -run TestExplorerAnswers ./lake

FUZZTIME ?= 30s

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME, 30s unless given
	@grep -rl --include='*_test.go' '^func Fuzz' internal jobs | while read -r file; do \
		for target in $$(grep -o '^func Fuzz[A-Za-z0-9]*' "$$file" | cut -d' ' -f2); do \
			echo "== $$(dirname "$$file") $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -timeout 0 "./$$(dirname "$$file")"; \
		done; \
	done

.PHONY: nvidia
nvidia: site ## on a machine with an NVIDIA GPU, not in MIG mode: what NVML says beside what nvidia-smi says
	CGO_ENABLED=1 go test -count=1 -tags nvidia -run NVIDIA -v ./jobs

.PHONY: cluster
cluster: build ## as root, on Debian without Kubernetes: a real cluster of one node runs the CronJobs; compiles it first, 10 minutes
	if [[ ! -x /usr/lib/cni/bridge ]] || ! command -v containerd >/dev/null || ! command -v runc >/dev/null; then \
		apt-get install -y -qq --no-install-recommends containerd runc containernetworking-plugins; fi
	cd test && go test -count=1 -tags cluster -timeout 30m -v ./cluster

.PHONY: packages
packages:
	@missing=(); \
	command -v chromium >/dev/null || missing+=(chromium); \
	ls /usr/share/fonts/truetype/nanum >/dev/null 2>&1 || missing+=(fonts-nanum); \
	command -v cc >/dev/null || missing+=(gcc g++ libc6-dev); \
	if (( $${#missing[@]} == 0 )); then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then echo "missing: $${missing[*]}; install them, then run make test again" >&2; exit 1; fi; \
	as_root=(); \
	if (( $$(id -u) != 0 )); then as_root=(sudo -n); fi; \
	if ! "$${as_root[@]}" true; then echo "missing: $${missing[*]}; run: sudo apt-get install --no-install-recommends $${missing[*]}" >&2; exit 1; fi; \
	"$${as_root[@]}" apt-get update -qq; \
	"$${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$${missing[@]}"

.PHONY: picture
picture: ## the README's pictures, as the last browser test saw them
	for name in overview model query; do cp "site/e2e/artifacts/readme-$$name.png" "docs/$$name.png"; done

.PHONY: bench
bench: ## the benchmarks, into bin/bench.txt; the run before is kept for benchstat
	mkdir -p bin
	if [[ -f bin/bench.txt ]]; then mv bin/bench.txt bin/bench.old.txt; fi
	go test -run '^$$' -bench . -benchmem $(PACKAGES) | tee bin/bench.txt
	cd test && go test -timeout 60m -run '^$$' -bench . ./lake | tee -a ../bin/bench.txt
	cd test && SITE_BUDGET=1 go test -timeout 60m -count=1 ./browser

.PHONY: fmt
fmt: ## format the Go and TypeScript sources
	gofmt -w internal jobs site/*.go test
	cd site && npm run format

.PHONY: lint
lint: ## what the formatter, vet and staticcheck say; fails if they say anything
	@unformatted=$$(gofmt -l internal jobs site/*.go test); \
	if [[ -n "$$unformatted" ]]; then echo "not formatted (make fmt): $$unformatted" >&2; exit 1; fi
	go vet -tags nvidia $(PACKAGES)
	cd test && go vet -tags cluster ./... && go build -o ../bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	./bin/staticcheck $(PACKAGES)
	cd test && ../bin/staticcheck -tags cluster ./...

.PHONY: image
image: site ## the image for amd64 and arm64, as archives in bin
	cd test && go run ./image -version '$(VERSION)'
