# Needle: everything starts here. `make run` shows it at work, `make test` proves it.
# V=1 prints commands; SAN=1 builds with AddressSanitizer and UBSan into build/san; CC=clang works too.

SAN ?=
B := build$(if $(SAN),/san)
CC ?= gcc
VERSION := 0.1.0
PYTHON := /usr/bin/python3
PREFIX ?= /usr/local

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wundef -Wformat=2 -Wvla -Wwrite-strings -Wcast-qual -Wpointer-arith -Wnull-dereference -Wswitch-enum \
	-Wimplicit-fallthrough
HARDEN := -fno-common -fvisibility=hidden -fstack-protector-strong -fPIC $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
comma := ,
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu17 $(CFLAGS) $(WARN) $(WERROR) $(HARDEN) $(SANFLAGS) -D_GNU_SOURCE -DNEEDLE_VERSION='"$(VERSION)"' \
	-Idaemon -Iplugins -I. -include base/banned.h -MMD -MP
LDFLAGS_ALL = $(SANFLAGS) -Wl,-z,relro,-z,now,-z,noexecstack
LIBS := -lpaho-mqtt3as -lpq -lyaml -ljansson -lutf8proc -lpcre2-8 -lmicrohttpd -lcrypto -lsodium -ldl -lpthread -lm
PG_INCLUDE := -I/usr/include/postgresql
Q := $(if $(V),,@)

# ---- sources: a folder is a part (docs/architecture.md) ---------------------------------------
PARTS := base core core/understand core/time core/life settings store link intake dispatch health
LIB_SRC := $(foreach p,$(PARTS),$(wildcard daemon/$(p)/*.c))
CTL_SRC := $(wildcard daemon/ctl/*.c)
DECODERS := $(patsubst plugins/%/decoder.c,%,$(wildcard plugins/*/decoder.c))
UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))

LIB_OBJ := $(LIB_SRC:%.c=$(B)/obj/%.o)
CTL_OBJ := $(CTL_SRC:%.c=$(B)/obj/%.o)

.PHONY: all
all: $(B)/needled $(B)/needlectl $(DECODERS:%=$(B)/plugins/%.so)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)$(CC) $(ALL_CFLAGS) $(PG_INCLUDE) -c -o $@ $<

$(B)/libneedle.a: $(LIB_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/needled: $(B)/obj/daemon/needled.o $(B)/libneedle.a
	@echo "  LD  $@"
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(B)/needlectl: $(CTL_OBJ) $(B)/libneedle.a
	@echo "  LD  $@"
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# A decoder sees needle_plugin.h and nothing else of ours: no -Idaemon here.
$(B)/plugins/%.so: plugins/%/decoder.c plugins/needle_plugin.h
	@mkdir -p $(@D)
	@echo "  SO  $<"
	$(Q)$(CC) -std=gnu17 $(CFLAGS) $(WARN) $(WERROR) $(HARDEN) $(SANFLAGS) -D_GNU_SOURCE -Iplugins -shared -Wl,-z,relro,-z,now \
		-o $@ $< -ljansson

$(B)/unit/%: tests/unit/%.c $(B)/libneedle.a
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(PG_INCLUDE) -Itests -pie $(LDFLAGS_ALL) -o $@ $< $(B)/libneedle.a $(LIBS) -lcmocka

.PHONY: unit
unit: $(UNIT:%=$(B)/unit/%) all

.PHONY: clean
clean:
	rm -rf build

-include $(LIB_OBJ:.o=.d) $(CTL_OBJ:.o=.d) $(B)/obj/daemon/needled.d
