# Needle: everything starts here. `make run` shows it at work, `make test` proves it.
# V=1 prints commands; SAN=1 builds with AddressSanitizer and UBSan into build/san, TSAN=1 with ThreadSanitizer
# into build/tsan; CC=clang works too.

comma := ,
SAN ?=
TSAN ?=
COV ?=
B := build$(if $(SAN),/san)$(if $(TSAN),/tsan)$(if $(COV),/cov)
CC ?= gcc
VERSION := 0.1.0
PYTHON := /usr/bin/python3
PREFIX ?= /usr/local

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wundef -Wformat=2 -Wvla -Wwrite-strings -Wcast-qual -Wpointer-arith -Wnull-dereference -Wswitch-enum \
	-Wimplicit-fallthrough
HARDEN := -fno-common -fvisibility=hidden -fstack-protector-strong -fPIC $(if $(SAN)$(TSAN)$(COV),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer) \
	$(if $(TSAN),-fsanitize=thread -fno-omit-frame-pointer) $(if $(COV),--coverage -fprofile-update=atomic)
CFLAGS ?= $(if $(COV),-O0,-O2) -g
ALL_CFLAGS = -std=gnu17 $(CFLAGS) $(WARN) $(WERROR) $(HARDEN) $(SANFLAGS) -D_GNU_SOURCE -DNEEDLE_VERSION='"$(VERSION)"' \
	-Idaemon -Iplugins -I. $(PRELUDE) -include base/banned.h -MMD -MP
LDFLAGS_ALL = $(SANFLAGS) -Wl,-z,relro,-z,now,-z,noexecstack
LIBS := -lpq -lyaml -ljansson -lutf8proc -lpcre2-8 -lmicrohttpd -lcurl -lzip -lexpat -lssl -lcrypto -lsodium -lxlsxwriter -ldl \
	-lpthread -lm
PG_INCLUDE := -I/usr/include/postgresql
Q := $(if $(V),,@)

# ---- sources: a folder is a part (docs/architecture.md) ---------------------------------------
PARTS := base core core/understand core/time core/life core/talk core/device core/statistics settings trial store link plugin intake dispatch health \
	bridge table
LIB_SRC := $(foreach p,$(PARTS),$(wildcard daemon/$(p)/*.c))
CTL_SRC := $(wildcard daemon/ctl/*.c)
DECODERS := $(patsubst plugins/%/decoder.c,%,$(wildcard plugins/*/decoder.c))
# A bridge program: all of its folder, its decoder linked in.
BRIDGES := $(patsubst plugins/%/,%,$(sort $(dir $(wildcard plugins/*/keys.c))))
BRIDGE_SRC := $(foreach b,$(BRIDGES),$(wildcard plugins/$(b)/*.c))
UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))

LIB_OBJ := $(LIB_SRC:%.c=$(B)/obj/%.o)
PAHO_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(wildcard daemon/link/paho/*.c))
CTL_OBJ := $(CTL_SRC:%.c=$(B)/obj/%.o)
BRIDGE_OBJ := $(BRIDGE_SRC:%.c=$(B)/obj/%.o)

.PHONY: all
all: $(B)/needled $(B)/needlectl $(BRIDGES:%=$(B)/needle-%) $(DECODERS:%=$(B)/plugins/%.so) catalogues

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)$(CC) $(ALL_CFLAGS) $(PG_INCLUDE) -c -o $@ $<

# Its header uses what banned.h takes away from everybody behind it.
$(B)/obj/daemon/intake/sheet.o: PRELUDE := -include xlsxwriter.h

# With Debian's Paho in it, but for two files that are for its debugging, and with our buffers at its sockets
# (daemon/link/paho).
PAHO = $(shell $(CC) -print-file-name=libpaho-mqtt3as.a)
PAHO_CALLS := connect recv writev poll shutdown close getenv
$(B)/libneedle.a: $(LIB_OBJ) $(PAHO_OBJ)
	$(Q)rm -f $@ && objcopy $(foreach c,$(PAHO_CALLS),--redefine-sym $(c)=paho_$(c)) \
		--redefine-sym pthread_cond_timedwait=paho_cond_timedwait $(PAHO) $@
	$(Q)ar d $@ Heap.c.o StackTrace.c.o && ar qs $@ $^

# What was run is not to be lost with a daemon that a test kills.
KEEP := $(if $(COV),$(B)/keep.o)
$(B)/keep.o: tests/fault/keep.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -O2 -g -Wall -Wextra -fPIC -D_GNU_SOURCE -c -o $@ $<
$(B)/needled: $(B)/obj/daemon/needled.o $(B)/obj/daemon/answers.o $(KEEP) $(B)/libneedle.a
	@echo "  LD  $@"
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(B)/needlectl: $(CTL_OBJ) $(B)/libneedle.a
	@echo "  LD  $@"
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

define bridge_program
$(B)/needle-$(1): $(patsubst %.c,$(B)/obj/%.o,$(wildcard plugins/$(1)/*.c)) $(B)/libneedle.a
	@echo "  LD  $$@"
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $$@ $$^ $(LIBS)
endef
$(foreach b,$(BRIDGES),$(eval $(call bridge_program,$(b))))

# A decoder sees needle_plugin.h and nothing else of ours: no -Idaemon here, and no symbols of gcov.
$(B)/plugins/%.so: plugins/%/decoder.c plugins/needle_plugin.h
	@mkdir -p $(@D)
	@echo "  SO  $<"
	$(Q)$(CC) -std=gnu17 $(CFLAGS) $(WARN) $(WERROR) $(HARDEN) $(if $(COV),,$(SANFLAGS)) -D_GNU_SOURCE -Iplugins -shared -Wl,-z,relro,-z,now \
		-o $@ $< -ljansson

# For the tests: the parts of bridges. Their main() is only taken by who has none.
$(B)/libbridges.a: $(filter-out %/decoder.o,$(BRIDGE_OBJ))
	$(Q)rm -f $@ && ar qcs $@ $^

$(B)/unit/%: tests/unit/%.c $(B)/libbridges.a $(B)/libneedle.a
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(PG_INCLUDE) -Itests -pie $(LDFLAGS_ALL) -o $@ $< $(B)/libbridges.a $(B)/libneedle.a $(LIBS) -lcmocka

# ---- what people read (daemon/base/tongue.h, daemon/po/README.md) ------------------------------
# What is written for the log alone has no part in the catalogue.
SPOKEN := $(sort $(foreach p,$(filter-out base link intake dispatch health bridge,$(PARTS)) ctl,$(wildcard daemon/$(p)/*.[ch])) \
	daemon/intake/batch.c daemon/intake/transact.c daemon/intake/read.c daemon/intake/spend.c daemon/bridge/keys.h daemon/bridge/program.c $(filter-out %/decoder.c %/push.c %/pull.c %/back.c plugins/wechat/%,$(BRIDGE_SRC)) plugins/wechat/keys.c plugins/wechat/main.c $(wildcard daemon/*.c) $(wildcard daemon/po/codes daemon/po/libyaml))
SPEAKS := _ N_ say:2 err_set:3 err_code:4 err_prefix:2 ctl_usage:2 life_refuse:2 life_refuse_on_record:2 REFUSE:4 refuse_word:2
TONGUES := $(patsubst daemon/po/%.po,%,$(wildcard daemon/po/*.po))

.PHONY: catalogues pot
catalogues: $(TONGUES:%=$(B)/locale/%/LC_MESSAGES/needle.mo)

$(B)/locale/%/LC_MESSAGES/needle.mo: daemon/po/%.po
	@mkdir -p $(@D)
	@echo "  MO  $<"
	$(Q)msgfmt --check -o $@ $<

$(B)/needle.pot: $(SPOKEN)
	@mkdir -p $(@D)
	$(Q)LC_ALL=C.UTF-8 xgettext --from-code=UTF-8 --language=C --keyword $(SPEAKS:%=--keyword=%) --add-location=file --no-wrap \
		--package-name=needle -o $@ $(SPOKEN) 2>$@.log || { cat $@.log; exit 1; }

# Takes new texts into the catalogues and out those that are gone. What is new there has no translation yet.
pot: $(B)/needle.pot
	$(Q)for t in $(TONGUES); do \
		msgmerge -q --update --backup=none --no-fuzzy-matching --no-wrap daemon/po/$$t.po $< && \
		msgattrib --no-obsolete --no-wrap -o daemon/po/$$t.po daemon/po/$$t.po && \
		msgfmt --statistics -o /dev/null daemon/po/$$t.po || exit 1; done

# The reference manual, from the table that the checker works with; lint compares it.
.PHONY: docs
docs: all
	$(B)/needlectl manual --lang en > docs/reference.md
	$(B)/needlectl manual --lang zh > docs/zh/reference.md
	$(PYTHON) tests/scenarios/draw
	$(B)/needlectl lifecycle --page --lang en > docs/lifecycle.md
	$(B)/needlectl lifecycle --page --lang zh > docs/zh/lifecycle.md

.PHONY: unit
unit: $(UNIT:%=$(B)/unit/%) all

.PHONY: clean
clean:
	rm -rf build

-include $(LIB_OBJ:.o=.d) $(PAHO_OBJ:.o=.d) $(CTL_OBJ:.o=.d) $(BRIDGE_OBJ:.o=.d) $(B)/obj/daemon/needled.d $(B)/obj/daemon/answers.d

# ---- install ----------------------------------------------------------------------------------
# Give `make` and `make install` the same PREFIX: the daemon looks for its plugins below it.
sysconfdir ?= /etc
bindir ?= $(PREFIX)/bin
libdir ?= $(PREFIX)/lib
includedir ?= $(PREFIX)/include
datadir ?= $(PREFIX)/share
mandir ?= $(datadir)/man
docdir ?= $(datadir)/doc/needle
unitdir ?= $(PREFIX)/lib/systemd/system
sysusersdir ?= $(PREFIX)/lib/sysusers.d
tmpfilesdir ?= $(PREFIX)/lib/tmpfiles.d
INSTALL ?= install

ALL_CFLAGS += -DNEEDLE_LIBDIR='"$(libdir)/needle"' -DNEEDLE_LOCALEDIR='"$(datadir)/locale"'
MAN := $(patsubst docs/man/%.scd,$(B)/man/%,$(wildcard docs/man/*.scd))
SHIPPED := $(filter-out template,$(DECODERS))
SHARED = $(shell find config schema/*.sql -type f ! -path '*/secrets/*')
PAGES = $(shell find docs -name '*.md') README.md CHANGELOG.md LICENSE

.PHONY: man install uninstall
man: $(MAN)

$(B)/man/%: docs/man/%.scd | deps-man
	@mkdir -p $(@D)
	@echo "  MAN $<"
	$(Q)scdoc < $< > $@.part && mv $@.part $@

install: all man
	$(INSTALL) -d '$(DESTDIR)$(bindir)' '$(DESTDIR)$(libdir)/needle/plugins' '$(DESTDIR)$(unitdir)'
	$(INSTALL) -d -m 0755 '$(DESTDIR)$(sysconfdir)/needle'
	$(INSTALL) -m 0755 $(B)/needled $(B)/needlectl $(BRIDGES:%=$(B)/needle-%) '$(DESTDIR)$(bindir)'
	$(INSTALL) -m 0644 $(SHIPPED:%=$(B)/plugins/%.so) '$(DESTDIR)$(libdir)/needle/plugins'
	$(INSTALL) -D -m 0644 plugins/needle_plugin.h '$(DESTDIR)$(includedir)/needle_plugin.h'
	$(Q)for u in $(notdir $(wildcard systemd/*.service)); do \
		sed 's|/usr/local/bin|$(bindir)|g; s|/etc/needle|$(sysconfdir)/needle|g' systemd/$$u > '$(DESTDIR)$(unitdir)/'$$u || exit 1; done
	$(Q)for f in $(wildcard plugins/*/example/*.yaml); do $(INSTALL) -D -m 0644 $$f "$(DESTDIR)$(datadir)/needle/$${f##*/}" || exit 1; done
	$(INSTALL) -D -m 0644 systemd/needle.sysusers '$(DESTDIR)$(sysusersdir)/needle.conf'
	$(INSTALL) -D -m 0644 systemd/needle.tmpfiles '$(DESTDIR)$(tmpfilesdir)/needle.conf'
	$(Q)for f in $(SHARED); do $(INSTALL) -D -m 0644 "$$f" "$(DESTDIR)$(datadir)/needle/$$f" || exit 1; done
	$(Q)for f in $(PAGES); do $(INSTALL) -D -m 0644 "$$f" "$(DESTDIR)$(docdir)/$${f#docs/}" || exit 1; done
	$(Q)for t in $(TONGUES); do $(INSTALL) -D -m 0644 $(B)/locale/$$t/LC_MESSAGES/needle.mo \
		"$(DESTDIR)$(datadir)/locale/$$t/LC_MESSAGES/needle.mo" || exit 1; done
	$(Q)for f in $(MAN); do $(INSTALL) -D -m 0644 "$$f" "$(DESTDIR)$(mandir)/man$${f##*.}/$${f##*/}" || exit 1; done

# Leaves /etc/needle, the state folders and the database alone: they are the office's.
uninstall:
	rm -f '$(DESTDIR)$(bindir)/needled' '$(DESTDIR)$(bindir)/needlectl' $(BRIDGES:%='$(DESTDIR)$(bindir)/needle-%') \
		'$(DESTDIR)$(includedir)/needle_plugin.h' $(patsubst systemd/%,'$(DESTDIR)$(unitdir)/%',$(wildcard systemd/*.service)) \
		'$(DESTDIR)$(sysusersdir)/needle.conf' '$(DESTDIR)$(tmpfilesdir)/needle.conf'
	$(Q)for t in $(TONGUES); do rm -f "$(DESTDIR)$(datadir)/locale/$$t/LC_MESSAGES/needle.mo"; done
	$(Q)for f in $(notdir $(MAN)); do rm -f "$(DESTDIR)$(mandir)/man$${f##*.}/$$f"; done
	rm -rf '$(DESTDIR)$(libdir)/needle' '$(DESTDIR)$(datadir)/needle' '$(DESTDIR)$(docdir)'

# ---- using it ----------------------------------------------------------------------------------
BUILD_PACKAGES := gcc libc6-dev libpaho-mqtt-dev libpq-dev libyaml-dev libjansson-dev libutf8proc-dev libpcre2-dev \
	libmicrohttpd-dev libcurl4-openssl-dev libzip-dev libexpat1-dev libssl-dev libsodium-dev libxlsxwriter-dev gettext
RUN_PACKAGES := mosquitto mosquitto-clients postgresql postgresql-client python3 python3-paho-mqtt python3-psycopg2
TEST_PACKAGES := libcmocka-dev python3-pytest python3-yaml python3-jsonschema curl
MAN_PACKAGES := scdoc
LINT_PACKAGES := clang cppcheck libcmocka-dev
FUZZ_PACKAGES := clang libclang-rt-14-dev
STACK := tests/stack/stack
BUILD_FLAG := --build '$(abspath $(B))'

# Plain `make` needs no more than the compiler and the libraries; order-only: packages are no reason to rebuild.
.PHONY: deps deps-build deps-man
deps-build:
	@tests/stack/deps $(BUILD_PACKAGES)
deps-man: | deps-build
	@tests/stack/deps $(MAN_PACKAGES)
deps:
	@tests/stack/deps $(BUILD_PACKAGES) $(RUN_PACKAGES) $(TEST_PACKAGES)
$(LIB_OBJ) $(CTL_OBJ) $(BRIDGE_OBJ) $(B)/obj/daemon/needled.o $(DECODERS:%=$(B)/plugins/%.so): | deps-build
$(TONGUES:%=$(B)/locale/%/LC_MESSAGES/needle.mo) $(B)/needle.pot: | deps-build
$(UNIT:%=$(B)/unit/%): | deps

.PHONY: run run-check up down test lint scenarios scenario
run: deps all
	@tests/stack/play $(BUILD_FLAG)
run-check: deps all
	@tests/stack/play --check $(BUILD_FLAG)
up: deps all
	@$(STACK) up '$(DIR)' $(BUILD_FLAG) --config '$(CONFIG)' --simulate '$(SIMULATE)' --speed '$(SPEED)' \
		--instance '$(INSTANCE)'
down:
	@$(STACK) down '$(DIR)'
test: deps unit failing
	@tests/run $(BUILD_FLAG)
# The streets of docs/practices, each lived from its first message to its last figure; one with its story on the screen.
scenarios: deps all
	@tests/scenarios/play $(BUILD_FLAG)
scenario: deps all
	@tests/scenarios/play '$(NAME)' $(BUILD_FLAG)
lint:
	@tests/stack/deps $(BUILD_PACKAGES) $(LINT_PACKAGES)
	@tests/lint/lint

# `make fuzz [SECONDS=60] [ONLY=settings,topic]`: each target so long; tests/fuzz/README.md.
.PHONY: fuzz
fuzz:
	@tests/stack/deps $(BUILD_PACKAGES) $(FUZZ_PACKAGES)
	@tests/fuzz/run $(BUILD_FLAG) $(if $(SECONDS),--seconds '$(SECONDS)') $(if $(ONLY),--only '$(ONLY)')

# `make torture [ONLY=prefix]`: the accidents of tests/fault at full size; tests/fault/torture names them. For leaks the
# one that fails call by call is run on a sanitizer build as well.
.PHONY: torture failing
torture: deps all failing
	$(if $(filter $(ONLY)%,alloc-leaks),$(if $(SAN)$(TSAN)$(COV),,@$(MAKE) --no-print-directory SAN=1 all failing))
	@tests/fault/torture $(BUILD_FLAG) --only '$(ONLY)'

# Branch coverage of what a message's safety hangs on, by the unit, flow and fault tests: tests/coverage.
# ThreadSanitizer over the flow tests: `make tsan`.
.PHONY: coverage tsan
coverage: deps
	@$(MAKE) --no-print-directory COV=1 unit failing
	@tests/coverage --build build/cov
tsan: deps
	@$(MAKE) --no-print-directory TSAN=1 all
	@tests/tsan --build build/tsan

# The daemon's own objects with every allocation, system call and statement under tests/fault/fail.c.
FAIL_WRAP := malloc calloc realloc arena_alloc arena_strdup arena_strndup arena_printf link_subscribe link_publish \
	notify_ready notify_reloading notify_stopping inbox_append
# tests/fault/test_load.py tries the bench's load as well.
failing: $(B)/torture/needled $(B)/torture/ctl $(B)/torture/lives $(B)/torture/pipes $(B)/bench/load
# The folder stands in for $(B) where a test is to run on them.
$(B)/torture/fail.o: tests/fault/fail.c | deps
	@mkdir -p $(@D)
	@ln -sfn ../plugins ../locale ../needlectl $(BRIDGES:%=../needle-%) $(@D)
	@echo "  CC  $<"
	$(Q)$(CC) -std=gnu17 -O2 -g -Wall -Wextra -fPIC -D_GNU_SOURCE -Idaemon $(PG_INCLUDE) $(SANFLAGS) -c -o $@ $<
$(B)/torture/needled: $(B)/obj/daemon/needled.o $(B)/obj/daemon/answers.o $(KEEP)
$(B)/torture/ctl: $(CTL_OBJ)
$(B)/torture/needled $(B)/torture/ctl: $(B)/torture/fail.o $(B)/libneedle.a
	@echo "  LD  $@"
	$(Q)$(CC) -pie $(LDFLAGS_ALL) $(FAIL_WRAP:%=-Wl$(comma)--wrap=%) -Wl,-Map=$@.map -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

# What tests/fault/test_lives.py compares the daemons with: the pure core alone.
# And pipelines to a database, by themselves: tests/fault/test_pipes.py.
$(B)/torture/lives $(B)/torture/pipes: $(B)/torture/%: tests/fault/%.c $(B)/libneedle.a | deps
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -pie $(LDFLAGS_ALL) -o $@ $(filter %.c %.a,$^) $(LIBS) $(if $(filter pipes,$*),-lcmocka)

# `make bench [ONLY=prefix] [DURATION=60] [RUNS=3] [SIZE=closed cases] [OPEN=open cases]`: docs/performance.md.
$(B)/bench/load: tests/bench/load.c tests/bench/mqtt.c tests/bench/mqtt.h
$(B)/bench/steps: tests/bench/steps.c tests/bench/mqtt.c tests/bench/mqtt.h
$(B)/bench/insert: tests/bench/insert.c
$(B)/bench/parse: tests/bench/parse.c $(B)/libneedle.a
$(B)/bench/rules: tests/bench/rules.c $(B)/libneedle.a
$(B)/bench/join: tests/bench/join.c $(B)/libneedle.a
$(B)/bench/hotwords: tests/bench/hotwords.c $(B)/libneedle.a
$(B)/bench/%: | deps
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) $(PG_INCLUDE) -Itests -pie $(LDFLAGS_ALL) -o $@ $(filter %.c %.a,$^) $(LIBS)

.PHONY: bench
bench: all $(B)/bench/load $(B)/bench/steps $(B)/bench/insert $(B)/bench/parse $(B)/bench/rules $(B)/bench/join $(B)/bench/hotwords
	@tests/bench/bench $(BUILD_FLAG) --only '$(ONLY)' $(if $(DURATION),--duration '$(DURATION)') \
		$(if $(RUNS),--runs '$(RUNS)') $(if $(SIZE),--size '$(SIZE)') $(if $(OPEN),--many '$(OPEN)')

# `make soak [MINUTES=30]`: a long time at 1,000 tickets a second; does the daemon grow or stand still?
.PHONY: soak
soak: all $(B)/bench/load
	@tests/bench/soak $(BUILD_FLAG) $(if $(MINUTES),--minutes '$(MINUTES)')
