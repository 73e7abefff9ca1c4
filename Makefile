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

PG_CPPFLAGS = -I$(srcdir)/src $(shell $(CURL_CONFIG) --cflags)
SHLIB_LINK = $(shell $(CURL_CONFIG) --libs) -lyaml

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PGXS does not track headers; a small tree can afford to rebuild everything.
$(OBJS): $(wildcard src/*.h src/*/*.h)

# Rooms as SQL functions, for tests only: the same objects, linked apart, so
# that nothing of it is ever installed.
ROOMS = tests/module/arazzo_rooms$(DLSUFFIX)
ROOMS_OBJS = $(patsubst %.c,%.o,$(sort $(wildcard tests/module/*.c)))

rooms: $(ROOMS)

$(ROOMS): $(ROOMS_OBJS) $(filter-out src/$(EXTENSION).o,$(OBJS))
	$(CC) $(CFLAGS) $^ $(LDFLAGS) $(LDFLAGS_SL) -shared -Wl,-Bsymbolic $(SHLIB_LINK) -o $@

EXTRA_CLEAN += $(ROOMS) $(ROOMS_OBJS) $(INSTALL_SQL)

# Documents that ship are loaded by the install script itself.
$(INSTALL_SQL): sql/$(EXTENSION).sql $(sort $(wildcard workflows/*/*.yaml)) sql/install_script
	sql/install_script $(EXTENSION) > $@.tmp && mv $@.tmp $@

.PHONY: rooms
