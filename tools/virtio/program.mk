# SPDX-License-Identifier: GPL-2.0-only
#
# Included last, by a Makefile that builds one program:
#
#  program    its name
#  objects    what it is made of
#  flags      for the compiler
#  headers    for the compiler as well: where they are
#  libraries  for the linker
#  OUT        where it and its objects are built

all: $(OUT)/$(program)

$(OUT)/%.o: %.c Makefile | $(OUT)
	@echo "  CC $*"
	@$(CC) $(flags) $(headers) -c $< -o $@

$(OUT)/$(program): $(addprefix $(OUT)/,$(objects))
	@echo "  LD $@"
	@$(CC) $^ -o $@ $(libraries)

$(OUT):
	@mkdir -p $@

clean:
	rm -rf $(OUT)

-include $(wildcard $(OUT)/*.d)
.PHONY: all clean
