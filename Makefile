# Edgewright. `make` lists the targets; docs/development.md says more.

GO   := .ci/go
# One set of build tags for work and tests: with no_metadata, and without migrated_fynedo, the toolkit logs each call
# made on a wrong goroutine. Releases are built without these checks.
TAGS         := sqlite_fts5,no_metadata
RELEASE_TAGS := sqlite_fts5,migrated_fynedo,no_animations,no_emoji
FUZZTIME     := 30s
VERSION      := $(shell sed -n 's/^ *Version = "\(.*\)"/\1/p' FyneApp.toml)
STAMP        := -s -w -buildid= -X main.version=$(VERSION)

export TAGS
export CC          := clang
export CXX         := clang++
export CGO_ENABLED := 1

PROGRAM     := build/edgewright

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: build ## build the program and open its window; without a display it does its main job on the terminal
	$(PROGRAM)

.PHONY: build
build: setup-run ## build the program for work and tests: build/edgewright
	$(GO) build -buildvcs=false -tags $(TAGS) -o $(PROGRAM) .

.PHONY: test
test: setup-test build ## format, vet, staticcheck, all tests, the program and its window; PARTS="unit race" for some
	.ci/test $(PARTS)

.PHONY: test-clients
test-clients: setup-clients build ## drive the practice cloud with Azure's own npm packages, unchanged
	.ci/clients $(PROGRAM)

.PHONY: lint
lint: setup-run ## format, vet and staticcheck only
	.ci/test lint

.PHONY: fuzz
fuzz: setup-run ## run each fuzz target for FUZZTIME (30s); TARGETS="practice" for those of the practice cloud
	.ci/fuzz $(FUZZTIME) $(TARGETS)

.PHONY: bench
bench: setup-test release ## Go benchmarks, then those of the whole program
	$(GO) test -tags $(TAGS) -run '^$$' -bench . -benchmem ./...
	.ci/bench build/release/edgewright
	.ci/bench-cloud build/release/edgewright

.PHONY: screenshots
screenshots: setup-run ## draw every page into docs/screens
	$(GO) run -tags $(TAGS) ./ui/screenshots

.PHONY: release
release: setup-run ## build the program as it is released for Linux: build/release/edgewright
	$(GO) build -buildvcs=true -trimpath -buildmode=pie -tags $(RELEASE_TAGS) -ldflags "$(STAMP)" \
		-o build/release/edgewright .

.PHONY: windows
windows: setup-test ## cross-build the Windows program: build/windows/edgewright.exe
	CC="clang --target=x86_64-w64-mingw32" CXX="clang++ --target=x86_64-w64-mingw32" GOOS=windows GOARCH=amd64 \
		$(GO) build -buildvcs=true -trimpath -tags $(RELEASE_TAGS) \
		-ldflags "$(STAMP) -H=windowsgui -extld=x86_64-w64-mingw32-gcc" -o build/windows/edgewright.exe .

.PHONY: wine
wine: windows ## provision a practice device with the Windows program under Wine
	.ci/wine-check build/windows/edgewright.exe

.PHONY: fresh-root
fresh-root: ## make run and make test in a clean root of Debian (SUITE, MIRROR, TARGETS)
	.ci/fresh-root

.PHONY: setup-run setup-test setup-clients
setup-run:
	@.ci/setup run
setup-test:
	@.ci/setup run test
setup-clients:
	@.ci/setup run test clients

.PHONY: clean
clean: ## remove build/
	rm -rf --one-file-system build
