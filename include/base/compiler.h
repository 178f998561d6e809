/* SPDX-License-Identifier: MIT */
/* compiler.h: the few compiler attributes that contracts use. */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NO_RETURN __attribute__((noreturn))
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#endif
