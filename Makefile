SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
# For targets that run on the embedded store alone, whatever the environment says.
EMBEDDED := env -u NEO4J_URI -u NEO4J_USERNAME -u NEO4J_PASSWORD -u NEO4J_DATABASE -u CHANCERY_TEST_NEO4J -u CHANCERY_NEO4J_HOME
# Tests wipe and fill a database all the time, after which Neo4j plans every query anew; that took more time than all else.
TESTING := NEO4J_REPLAN=1h CHANCERY_TEST_NEO4J=required
# More for go test, as in: make test GOTESTFLAGS='-run Store -v'
GOTESTFLAGS ?=

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

.PHONY: build
build: need-go ## build bin/chancery
	go build -o bin/chancery .

.PHONY: test
test: need-go ## all tests, on the embedded store and on a real Neo4j: the one of NEO4J_URI, else one started for the run
	$(TESTING) neo4j/with go test -timeout 60m $(GOTESTFLAGS) ./...

.PHONY: test-neo4j-2026
test-neo4j-2026: need-go ## what concerns a store, on the newest Neo4j (2026.05, Java 25)
	NEO4J_GENERATION=2026 $(TESTING) neo4j/with go test -timeout 30m -skip TestSQLite $(GOTESTFLAGS) ./graph/neo4jstore/... ./graph/open ./graph/storetest/every ./resolvers

.PHONY: web
web: build ## what needs Node.js and Chromium: GraphiQL, the typed client, GraphQL over HTTP, Neo4j Browser
	web/graphiql/build --check
	web/graphiql/run "$$PWD/bin/chancery"
	web/client/run "$$PWD/bin/chancery"
	neo4j/with web/browser/run "$$PWD/bin/chancery"

.PHONY: pictures
pictures: build ## renew the pictures in docs/pictures
	web/graphiql/run "$$PWD/bin/chancery" "$$PWD/docs/pictures/graphiql.png"
	neo4j/with web/browser/run "$$PWD/bin/chancery" "$$PWD/docs/pictures/neo4j-browser.png"

.PHONY: soak
soak: need-go ## sixteen clients for five minutes on each store, Neo4j restarted twice; loads of every format killed; all feeds compared
	CHANCERY_SOAK=5m CHANCERY_TEST_NEO4J=required neo4j/with go test -run 'TestSoak|TestKill|TestForgetKill|TestNeo4jRestarted|TestExportData' -v -timeout 180m . ./loader ./httpd

.PHONY: race
race: need-go need-cc ## all tests on the embedded store but the long ones, with the race detector
	@# SQLite itself and the reader of YAML, both translated from C, are left alone: watched too, they take ten times as long.
	CGO_ENABLED=1 $(EMBEDDED) -u CHANCERY_DATA go test -race -gcflags='modernc.org/...=-race=false' -gcflags='go.yaml.in/yaml/...=-race=false' -short -timeout 40m $(GOTESTFLAGS) ./...

.PHONY: bench
bench: need-go ## all benchmarks, on the embedded store and on a real Neo4j as in make test
	CHANCERY_TEST_NEO4J=required neo4j/with go test -run '^$$' -bench . -benchmem -timeout 60m $(GOTESTFLAGS) ./...

.PHONY: generate
generate: need-go ## write the generated code again
	go generate ./...

.PHONY: check
check: need-go ## formatting, go vet, staticcheck, and that the generated code is fresh
	@echo gofmt; files=$$(gofmt -l .); [ -z "$$files" ] || { echo "not formatted, see gofmt -d:" $$files >&2; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	@# In a copy, so that a check never changes the checkout, and works with uncommitted changes or without git.
	@echo "go generate, in a copy"; copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; \
	mkdir "$$copy/a" "$$copy/b"; tar -cf - --exclude=./.git --exclude=./.neo4j --exclude=./bin --exclude=node_modules . | tar -xf - -C "$$copy/a"; \
	cp -Rp "$$copy/a/." "$$copy/b"; (cd "$$copy/b" && go generate ./...); \
	(cd "$$copy" && diff -r a b) || { echo "generated code is not fresh (above: now, and as it should be); run make generate" >&2; exit 1; }

.PHONY: neo4j
neo4j: ## a Neo4j with Browser to try things on, kept in .neo4j/local; make neo4j-stop ends it
	@neo4j/server start
	@neo4j/server status
	@echo; echo "In Browser, connect as neo4j with the password in .neo4j/local/password. In a shell:"; echo '  eval "$$(neo4j/server env)"'

.PHONY: neo4j-stop
neo4j-stop: ## stop it; its data stays
	@neo4j/server stop

.PHONY: need-go
need-go:
	@command -v go >/dev/null || { echo "Go is not on PATH: go.mod asks for $$(sed -n 's/^go //p' go.mod) or newer, https://go.dev/dl" >&2; exit 1; }
	@go list -m >/dev/null || { echo "$$(go env GOVERSION) cannot build this: go.mod asks for $$(sed -n 's/^go //p' go.mod) or newer, https://go.dev/dl" >&2; exit 1; }

.PHONY: need-cc
need-cc:
	@command -v "$$(go env CC)" >/dev/null || { echo "the race detector needs a C compiler ($$(go env CC)); on Debian and Ubuntu: apt-get install gcc libc6-dev" >&2; exit 1; }
