/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_BUG_H
#define _SHIM_LINUX_BUG_H
/* BUG() ends the test process; warnings are counted in shim.warns. */
#include <linux/build_bug.h>
#include <linux/compiler.h>

void shim_bug(const char *file, int line, const char *what)
	__attribute__((noreturn));
void shim_warn(const char *file, int line, const char *what);

#define BUG()		shim_bug(__FILE__, __LINE__, "BUG")
#define BUG_ON(cond) \
	do { if (cond) shim_bug(__FILE__, __LINE__, #cond); } while (0)

#define WARN_ON(cond) ({					\
	bool __warn = (cond);					\
								\
	if (__warn)						\
		shim_warn(__FILE__, __LINE__, #cond);		\
	__warn; })

#define WARN_ON_ONCE(cond) ({					\
	static bool __warned;					\
	bool __once = (cond);					\
								\
	if (__once && !__warned) {				\
		__warned = true;				\
		shim_warn(__FILE__, __LINE__, #cond);		\
	}							\
	__once; })

#define WARN(cond, ...)		WARN_ON(cond)
#define WARN_ONCE(cond, ...)	WARN_ON_ONCE(cond)

#endif
