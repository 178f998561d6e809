/* SPDX-License-Identifier: MIT */
/* db_address.h: where a database is and who asks; filled from the configuration, read by layer db. */
#ifndef BASE_DB_ADDRESS_H
#define BASE_DB_ADDRESS_H

#include <stdint.h>

/* Strings belong to whoever filled the struct and must outlive every user of it. */
struct db_address {
    const char *socket; /* Unix socket; NULL or "" = TCP to host and port */
    const char *host;   /* NULL or "" = 127.0.0.1 */
    unsigned port;      /* 0 = 3306 */
    const char *name;   /* the database; NULL = none selected */
    const char *user;
    const char *password; /* NULL = none */
    const char *tls_ca;   /* file with CA certificates: host must then prove its name by TLS, over a socket TLS is
                           * used where the server has it; NULL = as the server likes */
    int64_t connect_timeout_usec; /* 0 = 1 s; rounded up to seconds */
};

#endif
