# Plancherel.  make [CC=..] [PREFIX=..] [V=1] [SAN=address] [ARCH=x86-64-v3]; make help
PREFIX  ?= /usr/local
ARCH    ?= native
MPIRUN  ?= mpirun
PYTHON  ?= /usr/bin/python3
CFLAGS  ?= -O3 -g
Q       := $(if $(V),,@)
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
comma   := ,
VARIANT := $(if $(SAN),san-$(subst $(comma),-,$(SAN)),$(if $(filter gcc,$(CC)),,$(CC)))
B       := build$(if $(VARIANT),/$(VARIANT))

# Libraries by pkg-config; on clusters with other names, set PKGS or LIBS.
PKGS    ?= ompi-c $(firstword $(shell pkg-config --exists scalapack-openmpi && echo scalapack-openmpi) \
             scalapack) openblas netcdf yaml-0.1 fftw3 $(shell pkg-config --exists zlib && echo zlib) \
             $(shell pkg-config --exists qhull_r && echo qhull_r)
LIBS    ?= $(shell pkg-config --libs $(PKGS)) -lm
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Werror -march=$(ARCH) -fno-math-errno \
  -fno-trapping-math -ffp-contract=fast -fopenmp-simd -Iinclude $(INCLUDES) $(if $(filter -lz,$(LIBS)),-DPL_ZLIB) \
  $(if $(filter -lqhull_r,$(LIBS)),-DPL_QHULL) $(WIDE) -MMD -MP \
  $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer $(if $(findstring gcc,$(CC)),-Wno-format-truncation)) $(CFLAGS)
# Where registers hold eight doubles loops use all of them: exp and its like take .6 of the time.
WIDE     = $(eval WIDE := $$(shell $$(CC) -mprefer-vector-width=512 -E -x c /dev/null >/dev/null 2>&1 && \
             echo -mprefer-vector-width=512))$(WIDE)
INCLUDES = $(eval INCLUDES := $$(shell pkg-config --cflags $$(PKGS)))$(INCLUDES)

SRC     := src/zoo.c $(wildcard src/*/*.c src/nets/*/*.c)
LIB     := $(B)/libplancherel.a
BIN     := $(B)/plancherel
TESTS   := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/test_*.c))
BENCHES := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/bench_*.c))
VERSION := -DPL_VERSION='"$(shell cat VERSION)"' \
  -DPL_COMMIT='"$(shell git -c safe.directory='*' describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)"'
.PHONY: all help deps demo test test-long test-slurm test-san unit fuzz bench bench-torch bench-long figures format \
  format-check layers tidy install uninstall clean FORCE

all: $(BIN)
help:
	@echo "all        build $(BIN)"
	@echo "demo       install what is missing, build, train jobs/depth_s5.yaml, draw it, tabulate it, report"
	@echo "figures    the pictures of README.md and the published comparison, few seeds (FULL=1: all), into figures/"
	@echo "test       install what is missing, run all tests        test-long  the slow ones too"
	@echo "test-slurm, test-san, fuzz   under a real Slurm, under sanitizers, random input (FUZZ_SECONDS=60)"
	@echo "bench      speed, as ratios          bench-long large groups too    bench-torch against PyTorch"
	@echo "install, uninstall   to and from PREFIX ($(PREFIX))      clean   remove build/"
	@echo "format, layers, tidy  for developers"
	@echo "Variables: CC, CFLAGS, ARCH ($(ARCH)), SAN=address, V=1, PREFIX, PKGS, LIBS, MPIRUN, PYTHON"

# ---- build ----
$(BIN): $(B)/main.o $(LIB)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)
$(LIB): $(SRC:src/%.c=$(B)/%.o)
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/%.o: src/%.c $(B)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(EXTRA) -c -o $@ $<
# Of the tests' own loops none is long: most of their build is optimising.
$(B)/tests/test_%: private CFLAGS := $(CFLAGS:-O3=-O1)
$(B)/tests/%: tests/%.c $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Itests $(LDFLAGS) -o $@ $< $(LIB) $(LIBS) -lcmocka
$(B)/fuzz_%: tests/fuzz_%.c $(LIB)
	$(Q)$(CC) $(ALL_CFLAGS) $(DRIVER) $(LDFLAGS) -o $@ $< $(LIB) $(LIBS)
# Calls that would take too long there end in the fuzzer; the one of whole commands draws its cases by itself.
$(B)/fuzz_%: DRIVER = -fsanitize=fuzzer
$(B)/fuzz_group: DRIVER = -fsanitize=fuzzer -Wl,--wrap=pl_irreps_cached
$(B)/fuzz_sweep: DRIVER = -Wl,--wrap=pl_rates_measure -Wl,--wrap=pl_svd_rates
# Orbits are chaotic: they are to be the published ones, which were rounded after every operation.
$(B)/nets/points/orbit.o: EXTRA = -ffp-contract=off
$(B)/base/version.o: EXTRA = $(VERSION)
$(B)/base/version.o: $(B)/version
# Rebuilt when what they hold has changed: compiler and flags; version and commit.
$(B)/flags: TEXT = $(CC) $(ARCH) $(CFLAGS) $(PKGS)
$(B)/version: TEXT = $(VERSION)
$(B)/flags $(B)/version: FORCE
	@mkdir -p $(@D)
	@echo "$(subst ",,$(TEXT))" | cmp -s - $@ || echo "$(subst ",,$(TEXT))" >$@
-include $(wildcard $(B)/*.d $(B)/*/*.d $(B)/nets/*/*.d)

# ---- use ----
export OMPI_ALLOW_RUN_AS_ROOT = 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM = 1
deps: ;       $(Q).ci/deps
demo: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(MPIRUN) --oversubscribe -n 2 $(BIN) run jobs/depth_s5.yaml -o depth_s5.nc --overwrite
	$(Q)$(PYTHON) analysis/plot.py depth_s5.nc -o depth_s5.png
	$(Q)$(PYTHON) analysis/plot.py depth_s5.nc -o depth_s5_s1.png --y schatten_at
	$(Q)$(PYTHON) analysis/report.py depth_s5.nc -o depth_s5.html
	$(Q)$(PYTHON) analysis/summary.py depth_s5.nc
	@echo "Trajectories: depth_s5.nc   pictures: depth_s5.png (S_p), depth_s5_s1.png (S_1)   all: depth_s5.html"
figures: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)FULL="$(FULL)" PYTHON=$(PYTHON) MPIRUN="$(MPIRUN)" jobs/figures
install: all
	$(Q).ci/install $(BIN) '$(PREFIX)' '$(DESTDIR)'
uninstall: ;  $(Q).ci/install --remove '$(PREFIX)' '$(DESTDIR)'
clean: ;      rm -rf build

# ---- checks ----
test: deps
	$(Q).ci/deps gap-core || echo "tests against GAP, an oracle, will be skipped" >&2
	$(Q)$(MAKE) --no-print-directory $(BIN) $(TESTS) $(BENCHES)
	$(Q)PYTHON=$(PYTHON) MPIRUN="$(MPIRUN)" tests/run.sh $(wildcard tests/test_*.py tests/test_*.sh) $(TESTS)
test-long: test
	$(Q)MAKE="$(MAKE)" PYTHON=$(PYTHON) MPIRUN="$(MPIRUN)" tests/long.sh
test-slurm: deps
	$(Q).ci/deps slurm-wlm munge iproute2
	$(Q)$(MAKE) --no-print-directory all
	$(Q)PYTHON=$(PYTHON) tests/run.sh tests/slurm_test.sh
# Leaks are counted by the tests themselves; Open MPI has some at exit.
test-san: deps
	$(Q)RANKS="1 3" ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	  $(MAKE) --no-print-directory unit SAN=address,undefined CFLAGS="-O1 -g"
unit: $(TESTS)
	$(Q)MPIRUN="$(MPIRUN)" tests/run.sh $(TESTS)
FUZZERS := $(patsubst tests/%.c,build/fuzz/%,$(wildcard tests/fuzz_*.c))
fuzz:
	$(Q).ci/deps clang libclang-rt-dev
	$(Q)$(MAKE) --no-print-directory CC=clang SAN=address,undefined,fuzzer-no-link B=build/fuzz \
	  CFLAGS="-O1 -g -fno-sanitize-recover=undefined -Wno-pass-failed" $(FUZZERS) build/fuzz/plancherel
	$(Q)tests/fuzz.sh $(FUZZERS)
bench: $(BIN) $(BENCHES)
	$(Q)for b in $(BENCHES); do $$b || exit 1; done
	$(Q)for b in step spectrum linalg retrieval; do $(MPIRUN) --oversubscribe -n 2 $(B)/tests/bench_$$b || exit 1; done
	$(Q)for b in graph program; do $(PYTHON) tests/bench_$$b.py || exit 1; done
bench-torch: $(BIN) $(B)/tests/bench_graph ; $(Q).ci/deps python3-torch; $(PYTHON) tests/bench_torch.py
bench-long: $(BIN) $(BENCHES)
	$(Q)for b in graph program; do $(PYTHON) tests/bench_$$b.py --long || exit 1; done
	$(Q)$(MPIRUN) --oversubscribe -n 2 $(B)/tests/bench_retrieval 1000000
	$(Q)$(B)/tests/bench_linalg 2310 && $(PYTHON) tests/certificates.py && $(PYTHON) tests/bench_program.py --scaling
format: ;     clang-format -i $$(git ls-files '*.c' '*.h')
format-check: ; $(Q)clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')
layers: ;     $(Q).ci/layers
tidy: ;       clang-tidy --quiet $(SRC) -- -std=c11 -D_GNU_SOURCE -Iinclude $$(pkg-config --cflags $(PKGS))
