# With the Makefile: the fuzz targets, of clang, each with coverage and sanitizers. tests/fuzz/run calls it.
FUZZ_PARTS := base core core/device core/understand core/time core/life core/talk core/statistics settings table
FUZZ_FLAGS = -std=gnu17 -O2 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined -D_GNU_SOURCE -DNEEDLE_VERSION='"$(VERSION)"' -DNEEDLE_LIBDIR='"/nowhere"' \
	$(WARN) -Idaemon -Iplugins -Itests -Itests/fuzz -I. -MMD -MP
FUZZ_LIBS := -lzip -lexpat -lyaml -ljansson -lutf8proc -lpcre2-8 -lcrypto -lsodium -lm
FUZZ_BRIDGE := plugins/wechat/callback.c plugins/wechat/crypt.c plugins/wechat/xml.c
FUZZ_OBJ := $(patsubst %.c,$(B)/fuzz/obj/%.o,$(foreach p,$(FUZZ_PARTS),$(wildcard daemon/$(p)/*.c)) daemon/intake/inbox_record.c $(FUZZ_BRIDGE))
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(filter-out tests/fuzz/fuzz_decoder.c,$(wildcard tests/fuzz/fuzz_*.c))) \
	$(DECODERS:%=decoder_%)

.PHONY: fuzz-targets fuzz-names
fuzz-targets: $(FUZZ_TARGETS:%=$(B)/fuzz/%)
fuzz-names:
	@echo $(FUZZ_TARGETS)

$(B)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)clang $(FUZZ_FLAGS) -include base/banned.h -c -o $@ $<

$(B)/fuzz/libneedle.a: $(FUZZ_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/fuzz/decoder_%: tests/fuzz/fuzz_decoder.c plugins/%/decoder.c $(B)/fuzz/libneedle.a
	@echo "  LD  $@"
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $(filter %.c,$^) $(B)/fuzz/libneedle.a $(FUZZ_LIBS)

# The hotline's bridge, as far as it is a function of what came.
$(B)/fuzz/push: tests/fuzz/fuzz_push.c plugins/hotline/wire.c plugins/hotline/shape.c plugins/hotline/decoder.c $(B)/fuzz/libneedle.a
	@echo "  LD  $@"
	$(Q)clang $(FUZZ_FLAGS) -include base/banned.h -fsanitize=fuzzer -o $@ $(filter %.c,$^) $(B)/fuzz/libneedle.a $(FUZZ_LIBS)

$(B)/fuzz/%: tests/fuzz/fuzz_%.c $(B)/fuzz/libneedle.a
	@echo "  LD  $@"
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $< $(B)/fuzz/libneedle.a $(FUZZ_LIBS)

-include $(FUZZ_OBJ:.o=.d)
