# SPDX-License-Identifier: MIT
"""tls_ca: exports and backups go to the server of that name only, and by TLS; over a socket it asks for neither."""

import subprocess

import pytest

from mariadb import Mariadb
from ports import free_ports

CIPHER = "SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher'"


class Certificates:
    """An authority, and one certificate that it gives: where the server looks for it."""

    def __init__(self, directory):
        directory.mkdir()
        self.ca, self.ca_key, self.own, self.own_key = (directory / name for name in ("ca", "ca.key", "own", "own.key"))
        self._make(self.ca, self.ca_key, "authority")

    def _make(self, certificate, key, name, *more):
        subprocess.run(
            ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2",
             "-subj", f"/CN={name}", "-out", certificate, "-keyout", key, *more], check=True, capture_output=True)
        key.chmod(0o644)

    def give(self, name):
        self._make(self.own, self.own_key, "server", "-CA", self.ca, "-CAkey", self.ca_key,
                   "-addext", f"subjectAltName={name}")


@pytest.fixture(scope="module")
def server():
    """A server with a port, and without TLS."""
    port, = free_ports(1)
    database = Mariadb(["--skip-networking=0", "--bind-address=127.0.0.1", f"--port={port}", "--ssl=0"])
    database.port = port
    database.certificates = Certificates(database.directory / "tls")
    with database.connect() as connection, connection.cursor() as cursor:
        for host in "127.0.0.1", "localhost":
            cursor.execute(f"CREATE USER reader@'{host}'")
            cursor.execute(f"GRANT ALL ON *.* TO reader@'{host}'")
    yield database
    database.stop()


@pytest.fixture
def tls(server):
    """tls(name): the server shows a certificate for that name."""
    def show(name):
        server.certificates.give(name)
        if "--ssl=0" in server.options:
            made = server.certificates
            server.shut_down()
            server.options[server.options.index("--ssl=0"):] = [
                f"--ssl-ca={made.ca}", f"--ssl-cert={made.own}", f"--ssl-key={made.own_key}"]
            server.start()
        server.connect().cursor().execute("FLUSH SSL")
    return show


def take(site, **place):
    """The ends of an export and of a backup."""
    site.source = {"database": site.name, "user": "reader", "tls_ca": site.server.certificates.ca, **place}
    site.exports.clear()
    site.export("cipher", CIPHER)
    exported = site.run(data={"export": "cipher"})
    site.exports[:] = ['backup "site" {\n}\n']
    return exported, site.run("backup", {"backup": "site"})


def assert_only_by_socket(site):
    exported, saved = take(site, host="127.0.0.1", port=site.server.port)
    assert (exported.end, exported.code) == ("failed", "source_unavailable"), exported.message
    assert saved.end == "failed" and not site.left(), (saved.code, saved.message)
    exported, saved = take(site, socket=site.server.socket)
    assert exported.end == saved.end == "success", (exported.message, saved.message)


def test_a_server_without_tls(site):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY)")
    assert_only_by_socket(site)


def test_a_certificate_of_another_name(site, tls):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY)")
    tls("DNS:evil.example")
    assert_only_by_socket(site)


def test_the_right_certificate(site, tls):
    site.sql("CREATE TABLE t (id INT PRIMARY KEY)")
    tls("IP:127.0.0.1")
    exported, saved = take(site, host="127.0.0.1", port=site.server.port)
    assert exported.end == saved.end == "success", (exported.message, saved.message)
    assert b"TLS" in exported.data
