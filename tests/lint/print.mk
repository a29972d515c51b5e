# For tests/lint/lint: the compiler flags as the Makefile has them.
print-flags:
	@printf '%s\n' '$(ALL_CFLAGS) $(PG_INCLUDE)'
