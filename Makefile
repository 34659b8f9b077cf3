# Plancherel.  make [CC=..] [PREFIX=..] [V=1] [SAN=address] [ARCH=x86-64-v3]; `make help` lists targets.
PREFIX  ?= /usr/local
ARCH    ?= native
MPIRUN  ?= mpirun
PYTHON  ?= /usr/bin/python3
Q       := $(if $(V),,@)
ifeq ($(origin CC),default)
CC      := gcc
endif
pc_any   = $(firstword $(shell for p in $(1); do pkg-config --exists $$p 2>/dev/null && echo $$p; done))
PKGS    := ompi-c $(call pc_any,scalapack-openmpi scalapack) openblas netcdf yaml-0.1 fftw3
comma   := ,
VARIANT := $(if $(SAN),san-$(subst $(comma),-,$(SAN)),$(if $(filter gcc,$(CC)),,$(CC)))
B       := build$(if $(VARIANT),/$(VARIANT))

VERSION := $(shell cat VERSION)
COMMIT  := $(shell git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)
CFLAGS  ?= -O3 -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Werror -march=$(ARCH) -fno-math-errno \
  -fno-trapping-math -fopenmp-simd $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer) \
  -Iinclude $(shell pkg-config --cflags $(PKGS)) -MMD -MP $(CFLAGS)
LIBS    ?= $(shell pkg-config --libs $(PKGS)) -lm

SRC     := $(wildcard src/*/*.c)
LIB     := $(B)/libplancherel.a
BIN     := $(B)/plancherel
TESTS   := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/test_*.c))
BENCHES := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/bench_*.c))
.PHONY: all help deps demo test test-long bench format format-check tidy layers install clean
all:
	$(Q)$(MAKE) --no-print-directory $(BIN)

help:
	@echo "all demo test test-long bench format tidy layers install clean"

$(BIN): $(B)/main.o $(LIB)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)
$(LIB): $(SRC:src/%.c=$(B)/%.o)
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/%.o: src/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<
$(B)/tests/%: tests/%.c $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Itests $(LDFLAGS) -o $@ $< $(LIB) $(LIBS) -lcmocka
# -std=c11 forbids fused multiply-adds; the transform on S_n lives on them.
$(B)/group/sn_%.o $(B)/tests/bench_sn_fft: ALL_CFLAGS += -ffp-contract=fast
$(B)/base/version.o: ALL_CFLAGS += -DPL_VERSION='"$(VERSION)"' -DPL_COMMIT='"$(COMMIT)"'
-include $(wildcard $(B)/*.d $(B)/*/*.d)
clean:
	rm -rf build

# ---- checks ----
PYTESTS := $(wildcard tests/test_*.py)
test:
	$(Q)$(MAKE) --no-print-directory $(BIN) $(TESTS)
	$(Q)PYTHON=$(PYTHON) MPIRUN="$(MPIRUN)" tests/run.sh $(TESTS) $(PYTESTS)
layers:
	$(Q).ci/layers
format:
	clang-format -i $$(git ls-files '*.c' '*.h')
format-check:
	$(Q)clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')
