/* SPDX-License-Identifier: MIT */
/* doctor_connect.c: opens what the configuration names, and prepares what would be asked there. */
#include "doctor_connect.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

/* --- remedies ------------------------------------------------------------------------------------- */

/* Where the settings of a connection stand. SECTION is that of the server. */
struct place {
    const struct settings *s;
    const char *section, *section_name; /* "source", "shop"; NULL where it has none */
    const void *socket, *host, *database;
    bool local;                         /* the socket counts */
    const char *account, *account_name; /* the section of user and password */
    int account_line;
    const char *rights; /* what gives the account its rights */
};

/* FILE:LINE, or the file alone where LINE is 0: a default. */
static void add_line(struct buf *out, const struct settings *s, int line)
{
    buf_adds(out, s->path);
    if (line)
        buf_addf(out, ":%d", line);
}

static void add_section(struct buf *out, const char *section, const char *name)
{
    buf_adds(out, section);
    if (name)
        buf_addf(out, " \"%s\"", name);
}

static void add_account(struct buf *out, const struct place *p)
{
    buf_adds(out, ": user or password of ");
    add_section(out, p->account, p->account_name);
    buf_adds(out, " (");
    add_line(out, p->s, p->account_line);
    buf_adds(out, ") is not the server's: correct it there, or ALTER USER on the server");
}

static void add_setting(struct buf *out, const struct place *p, const char *setting, const void *field)
{
    add_section(out, p->section, p->section_name);
    buf_addf(out, " %s (", setting);
    add_line(out, p->s, settings_line(p->s, field));
    buf_addc(out, ')');
}

static void add_database(struct buf *out, const struct place *p)
{
    buf_adds(out, ": is ");
    add_setting(out, p, p->section_name ? "database" : "name", p->database);
    buf_addf(out, " right, and %s?", p->rights);
}

static void add_server(struct buf *out, const struct place *p)
{
    buf_adds(out, ": does the server run, and is ");
    add_setting(out, p, p->local ? "socket" : "host", p->local ? p->socket : p->host);
    buf_adds(out, " right?");
}

/* What the server's, or the client library's, number of an error says of the configuration. */
static const struct remedy {
    int number;
    bool server; /* nobody gets in */
    void (*add)(struct buf *out, const struct place *p);
} remedies[] = {
    {1044, false, add_database}, /* no right to the database, which may not be there */
    {1045, false, add_account},  /* user or password */
    {1049, false, add_database}, /* there is no such database */
    {1698, false, add_account},  /* the account has no password */
    {2002, true, add_server},    /* a socket, or MariaDB's word for a host, that nobody listens on */
    {2003, true, add_server},    /* a port that nobody listens on */
    {2005, true, add_server},    /* a host that nobody knows */
};

static const struct remedy *find_remedy(const struct error *e)
{
    for (size_t i = 0; i < COUNT_OF(remedies); i++)
        if (remedies[i].number == e->db_errno)
            return &remedies[i];
    return NULL;
}

/* Tells that WHAT does not get in. */
static void tell_failed(const struct place *p, const char *what, const struct error *e, const struct findings *f)
{
    const struct remedy *r = find_remedy(e);
    struct buf text = BUF_INIT;
    buf_adds(&text, e->text);
    if (r)
        r->add(&text, p);
    finding_tell(f, FINDING_WRONG, what, "%s", buf_str(&text));
    buf_free(&text);
}

/* --- Backdesk's own database ------------------------------------------------------------------------ */

static int account_line(const struct settings *s, const char *name)
{
    for (size_t i = 0; i < s->account_count; i++)
        if (strcmp(s->accounts[i].name, name) == 0)
            return s->accounts[i].line;
    return 0;
}

/* Returns whether the others may be tried. */
static bool try_account(const struct settings *s, const char *name, const struct db_address **address,
                        const struct findings *f)
{
    struct error e = {0};
    struct doctor_source *d = NULL;
    if (!*address || doctor_source_open(*address, NULL, &d, &e) == 0) {
        doctor_source_close(&d);
        return true;
    }
    const struct place p = {
        .s = s,
        .section = "database",
        .socket = &s->database.socket,
        .host = &s->database.host,
        .database = &s->database.name,
        .local = s->database.socket,
        .account = "account",
        .account_name = name,
        .account_line = account_line(s, name),
        .rights = "have taskctl migrate and sql/grants.sql been run",
    };
    const struct remedy *r = find_remedy(&e);
    struct buf what = BUF_INIT;
    buf_addf(&what, "account %s", name);
    tell_failed(&p, r && r->server ? "database" : buf_str(&what), &e, f);
    buf_free(&what);
    *address = NULL;
    return !r || !r->server;
}

void doctor_accounts(const struct settings *s, struct doctor_accounts *a, const struct findings *f)
{
    if (!try_account(s, "api", &a->api, f) || !try_account(s, "runner", &a->runner, f) ||
        !try_account(s, "migration", &a->migration, f))
        *a = (struct doctor_accounts){NULL, NULL, NULL};
}

/* --- sources ------------------------------------------------------------------------------------------ */

/* What is looked at over one connection. */
struct look {
    const struct catalogue *c;
    const struct findings *f;
    struct doctor_source *d;
    unsigned good;
};

/* SQL of a section can be prepared, or what is wrong with it. */
static void try_statement(struct look *l, const char *section, const char *name, int line, struct buf *sql,
                          const char *remedy)
{
    const struct settings *s = catalogue_settings(l->c);
    struct error e = {0};
    if (doctor_source_prepare(l->d, buf_str(sql), &e) == 0) {
        l->good++;
        return;
    }
    struct buf what = BUF_INIT, place = BUF_INIT;
    buf_addf(&what, "%s %s", section, name);
    add_line(&place, s, line);
    finding_tell(l->f, FINDING_WRONG, buf_str(&what), "%s: %s: %s", buf_str(&place), e.text, remedy);
    buf_free(&place);
    buf_free(&what);
}

/* An export with a key is read as a table of its own: each of its columns needs a name that no other has. */
static void add_export(struct buf *sql, const struct export *x)
{
    if (!x->def->key.count) {
        buf_adds(sql, x->query.text);
        return;
    }
    buf_adds(sql, "SELECT ");
    for (size_t i = 0; i < x->def->key.count; i++) {
        buf_adds(sql, i ? ", page." : "page.");
        buf_sql_name(sql, x->def->key.items[i]);
    }
    buf_addf(sql, " FROM (\n%s\n) AS page LIMIT 0", x->query.text);
}

static void try_exports(struct look *l, const struct source_def *source)
{
    const struct settings *s = catalogue_settings(l->c);
    for (size_t i = 0; i < s->export_count; i++) {
        const struct export *x = catalogue_export(l->c, s->exports[i].name);
        if (x->source != source)
            continue;
        struct buf sql = BUF_INIT;
        add_export(&sql, x);
        try_statement(l, "export", x->def->name, x->def->line, &sql,
                      "correct query or key, or GRANT the source's account SELECT");
        buf_free(&sql);
    }
}

static void try_imports(struct look *l, const struct source_def *source)
{
    const struct settings *s = catalogue_settings(l->c);
    for (size_t i = 0; i < s->import_count; i++) {
        const struct import *m = catalogue_import(l->c, s->imports[i].name);
        if (m->target != source)
            continue;
        struct buf table = BUF_INIT, ledger = BUF_INIT;
        buf_adds(&table, "SELECT ");
        buf_sql_name(&table, m->def->owner);
        buf_adds(&table, " FROM ");
        buf_sql_name(&table, m->def->table);
        buf_adds(&ledger, "SELECT 1 FROM backdesk_imports, backdesk_import_rejects");
        try_statement(l, "import", m->def->name, settings_line(s, &m->def->table), &table,
                      "correct table or owner, or give the target's account its rights");
        try_statement(l, "import", m->def->name, m->def->line, &ledger, "run sql/import/ledger.sql in its database");
        buf_free(&ledger);
        buf_free(&table);
    }
}

/* Opens SOURCE, which is the section SERVER with user and password of the section ACCOUNT NAME at LINE; L->d is NULL
 * where it does not get in. Returns whether another account may. */
static bool open_source(struct look *l, const char *account, const char *name, int line,
                        const struct source_def *server, const struct source_def *source)
{
    const struct place p = {
        .s = catalogue_settings(l->c),
        .section = "source",
        .section_name = server->name,
        .socket = &server->socket,
        .host = &server->host,
        .database = &server->database,
        .local = server->socket,
        .account = account,
        .account_name = name,
        .account_line = line,
        .rights = "has the account any right there",
    };
    struct db_address address;
    struct error e = {0};
    if (settings_source_address(source, &address, &e) == 0 &&
        doctor_source_open(&address, source->time_zone, &l->d, &e) == 0)
        return true;
    struct buf what = BUF_INIT;
    buf_addf(&what, "%s %s", account, name);
    tell_failed(&p, buf_str(&what), &e, l->f);
    buf_free(&what);
    const struct remedy *r = find_remedy(&e);
    return !r || r->add == add_account;
}

static void tell_good(const struct look *l, const char *section, const char *name, const char *said)
{
    struct buf what = BUF_INIT;
    buf_addf(&what, "%s %s", section, name);
    finding_tell(l->f, FINDING_OK, buf_str(&what), "the account gets in%s", said);
    buf_free(&what);
}

static void look_at_backup(struct look *l, const struct backup_def *b, const struct source_def *server)
{
    const struct source_def source = settings_backup_source(catalogue_settings(l->c), b);
    (void)open_source(l, "backup", b->name, b->line, server, &source);
    if (l->d)
        tell_good(l, "backup", b->name, "");
    doctor_source_close(&l->d);
}

/* With the backups that read it by an account of their own. */
static void look_at_source(struct look *l, const struct source_def *source)
{
    const struct settings *s = catalogue_settings(l->c);
    char said[64];
    bool others = open_source(l, "source", source->name, source->line, source, source);
    l->good = 0;
    if (l->d) {
        try_exports(l, source);
        try_imports(l, source);
        snprintf(said, sizeof said, "; statements that prepare: %u", l->good);
        tell_good(l, "source", source->name, said);
    }
    doctor_source_close(&l->d);
    for (size_t i = 0; others && i < s->backup_count; i++) {
        const struct backup_def *b = &s->backups[i];
        if (b->user && source == (b->source ? settings_source(s, b->source) : &s->sources[0]))
            look_at_backup(l, b, source);
    }
}

void doctor_sources(const struct catalogue *c, const struct findings *f)
{
    const struct settings *s = catalogue_settings(c);
    struct look l = {.c = c, .f = f};
    for (size_t i = 0; i < s->source_count; i++)
        look_at_source(&l, &s->sources[i]);
}
