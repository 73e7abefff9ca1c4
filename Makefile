EXTENSION = amberflo_arazzo
EXTVERSION = 0.1.0
MODULE_big = $(EXTENSION)
PGFILEDESC = "amberflo_arazzo - run Arazzo API workflows from within the database"

# The install script is made of sql/amberflo_arazzo.sql and the documents of
# workflows/; upgrade scripts lie ready in sql/.
INSTALL_SQL = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA = $(wildcard sql/$(EXTENSION)--*--*.sql)
DATA_built = $(INSTALL_SQL)

SRCS = $(sort $(wildcard src/*.c src/*/*.c))
OBJS = $(SRCS:.c=.o)

CURL_CONFIG ?= curl-config
PG_CONFIG ?= pg_config

PG_CPPFLAGS = -I$(srcdir)/src -I$(libpq_srcdir) $(shell $(CURL_CONFIG) --cflags)
SHLIB_LINK = $(shell $(CURL_CONFIG) --libs) -lyaml -lssl -lcrypto -lz $(libpq)

# Debian compiles PostgreSQL with gcc, whose options and attributes come along
# with pg_config and the headers; clang need not know them all.
ifneq ($(findstring clang,$(CC)),)
override PG_CFLAGS += -Wno-unknown-warning-option -Wno-ignored-optimization-argument \
	-Wno-ignored-attributes -Wno-unused-command-line-argument
endif

# Inputs are tests/sql/*.sql and tests/specs/*.spec, answers expected/*.out.
REGRESS = $(patsubst tests/sql/%.sql,%,$(sort $(wildcard tests/sql/*.sql)))
REGRESS_OPTS = --inputdir=tests --load-extension=$(EXTENSION)

ISOLATION = $(patsubst tests/specs/%.spec,%,$(sort $(wildcard tests/specs/*.spec)))
ISOLATION_OPTS = --inputdir=tests --outputdir=. --load-extension=$(EXTENSION)

# Built before installcheck runs any of them.
REGRESS_PREP = rooms torture programs

TAP_TESTS = 1
PROVE_TESTS = tests/t/*.pl

# These bring along what they need, PostgreSQL included, so they must work
# where it is not installed yet; and PGXS has a "check" of its own, which only
# says that it cannot.
SELF_CONTAINED = check demo bench soak fuzz sanitize

ifneq ($(MAKECMDGOALS),)
ifeq ($(filter-out $(SELF_CONTAINED),$(MAKECMDGOALS)),)
without_pgxs = yes
endif
endif

# In a throwaway copy and with throwaway servers, see each script.
ifdef without_pgxs
check:
	@SANITIZE=$(SANITIZE) tests/run_checks $(TESTS)

demo:
	@KEEP=$(KEEP) tests/demo.sh

bench:
	@tests/bench/run

soak:
	@tests/soak/run

fuzz:
	@TIME=$(TIME) TARGETS="$(TARGETS)" CORPUS=$(CORPUS) tests/fuzz/run

sanitize:
	@tests/run_sanitizers $(TESTS)

.PHONY: $(SELF_CONTAINED)
else

# PGXS looks whether there is something to clean as it is included.
EXTRA_CLEAN = $(ROOMS) $(ROOMS_OBJS) $(TORTURE) $(TORTURE_OBJS) $(FUZZ_EXTRAS:.c=.o) $(INSTALL_SQL) $(PROGRAMS) tests/tmp_check \
	$(wildcard tests/sandbox/*.o)

# For the address sanitizer: memory contexts that it can look into.
ifdef WATCHED
OBJS += tests/fuzz/memory.o
SHLIB_LINK += -Wl,-Bsymbolic
endif

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Makefile.global resets PROVE_FLAGS, so this comes after the include.
PROVE_FLAGS += -I $(srcdir)/tests/perl

# PGXS does not track headers; a small tree can afford to rebuild everything.
$(OBJS): $(wildcard src/*.h src/*/*.h)

# Rooms as SQL functions, for tests only: the same objects, linked apart, so
# that nothing of it is ever installed.  GUIDED links libFuzzer as well, for
# objects that clang has compiled for it (tests/fuzz/run).
ROOMS = tests/module/arazzo_rooms$(DLSUFFIX)
ROOMS_OBJS = $(patsubst %.c,%.o,$(sort $(wildcard tests/module/*.c)) \
	$(filter-out $(FUZZ_EXTRAS),$(sort $(wildcard tests/fuzz/*.c))))
FUZZ_EXTRAS = tests/fuzz/guided.c tests/fuzz/memory.c

ifdef GUIDED
ROOMS_OBJS += $(FUZZ_EXTRAS:.c=.o)
ROOMS_LINK = $(shell $(CC) -print-file-name=libclang_rt.fuzzer_no_main-$(shell uname -m).a) -lstdc++
endif

$(ROOMS_OBJS): $(wildcard src/*/*.h tests/module/*.h tests/fuzz/*.h)

rooms: $(ROOMS)

$(ROOMS): $(ROOMS_OBJS) $(filter-out src/$(EXTENSION).o,$(OBJS))
	$(CC) $(CFLAGS) $^ $(LDFLAGS) $(LDFLAGS_SL) -shared -Wl,-Bsymbolic $(SHLIB_LINK) $(ROOMS_LINK) -o $@

# The extension once more, in which allocations can be made to fail, and a
# library to preload that makes those of all others fail; for tests only.
TORTURE = tests/torture/arazzo_torture$(DLSUFFIX) tests/torture/failing$(DLSUFFIX)
TORTURE_OBJS = tests/torture/torture.o
WRAPPED = $(shell nm --defined-only tests/torture/torture.o | sed -n 's/.* __wrap_/-Wl,--wrap=/p')

$(TORTURE_OBJS): tests/torture/failing.h

# Looked at when the library is linked, which is when the object is there.

torture: $(TORTURE)

tests/torture/arazzo_torture$(DLSUFFIX): tests/torture/torture.o $(OBJS)
	$(CC) $(CFLAGS) $^ $(LDFLAGS) $(LDFLAGS_SL) -shared -Wl,-Bsymbolic $(WRAPPED) $(SHLIB_LINK) -o $@

tests/torture/failing$(DLSUFFIX): tests/torture/failing.c tests/torture/failing.h
	$(CC) $(PROGRAM_CFLAGS) -fPIC -shared -o $@ $<

PROGRAMS = tests/sandbox/sandbox tests/bench/floor
PROGRAM_CFLAGS = -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter

# Documents that ship are loaded by the install script itself.
$(INSTALL_SQL): sql/$(EXTENSION).sql $(sort $(wildcard workflows/*/*.yaml)) sql/install_script
	sql/install_script $(EXTENSION) > $@.tmp && mv $@.tmp $@

# The local Amberflo and Stripe of tests and demo, and the C program that the
# benchmark compares with: programs of their own, without PostgreSQL.
programs: $(PROGRAMS)

tests/sandbox/sandbox: $(wildcard tests/sandbox/*.c tests/sandbox/*.h)
	$(MAKE) -C tests/sandbox sandbox

tests/bench/floor: tests/bench/floor.c
	$(CC) $(PROGRAM_CFLAGS) $(shell $(CURL_CONFIG) --cflags) -o $@ $< $(shell $(CURL_CONFIG) --libs) -lyaml

# Compiles without keeping anything, to see what another compiler has to say.
warnings:
	$(CC) $(CFLAGS) $(CPPFLAGS) -fsyntax-only $(SRCS) $(wildcard tests/module/*.c tests/fuzz/*.c) tests/torture/torture.c

.PHONY: rooms torture programs warnings
endif
