"""Whom a client trusts, and how a server changes its certificate while it runs."""

from __future__ import annotations

import shutil
import socket
import ssl
import tempfile
import threading
import unittest
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from bpost.errors import BPostError, LocalError, SecurityError, TransportError, UntrustedCertificate
from bpost.net import certificates
from bpost.net.address import ServerAddress
from bpost.net.certificates import pin_of
from bpost.net.tls import ServerTLS, client_context, server_context
from bpost.net.ws_client import connect
from tests.net.forged import Forged, ForgedServer, forge, forge_with_sha1, pem
from tests.net.harness import Harness
from tests.net.listening import server_files
from tests.support import patience


class TrustTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.ca = forge(name="Our authority", authority=True)

    def refusal(self, forged: Forged, *, host: str = "localhost", ca: Forged | None = None) -> str:
        """Connect to a server with this certificate; return why it is refused."""
        file = self.folder / "ca.pem"
        file.write_bytes(pem((ca or self.ca).certificate))
        with ForgedServer(forged) as server:
            with self.assertRaises(UntrustedCertificate) as caught:
                connect(ServerAddress(host, server.port), ca_file=file)
        self.assertEqual(server.told, b"")
        self.assertEqual(caught.exception.pin, pin_of(forged_der(forged)))
        return str(caught.exception)

    def test_s63_each_fault_is_refused_and_named(self) -> None:
        weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
        stranger = forge(name="Their authority", authority=True)
        for expected, forged in {
            "self-signed": forge(),
            "authority is not known": forge(stranger),
            "has expired": forge(self.ca, begins=-30, ends=-1),
            "not valid yet": forge(self.ca, begins=5),
            "for another name": forge(self.ca, name="chat.example"),
            "key is too weak": forge(self.ca, key=weak),
            "may not issue any": forge(forge(self.ca)),
        }.items():
            with self.subTest(expected):
                self.assertIn(expected, self.refusal(forged))

    def test_s63_a_hash_that_can_be_forged_is_refused(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        ca = forge(name="Our authority", authority=True, key=key)
        self.assertIn("can be forged", self.refusal(forge_with_sha1(ca), ca=ca))

    def test_s63_another_address_is_refused(self) -> None:
        self.assertIn("for another address", self.refusal(forge(self.ca), host="127.0.0.1"))

    def test_s63_our_own_certificate_passes_by_name_and_by_address(self) -> None:
        with Harness() as server:
            for host in ("localhost", "127.0.0.1"):
                connect(ServerAddress(host, server.port), ca_file=server_files().ca).close()

    def test_s63_without_a_file_the_systems_authorities_count(self) -> None:
        with Harness() as server, self.assertRaises(UntrustedCertificate):
            connect(ServerAddress("localhost", server.port))

    def test_s63_a_pin_alone_is_enough_whatever_the_names(self) -> None:
        with Harness() as server:
            connect(server.address).close()

    def test_s63_a_wrong_pin_is_refused_before_a_byte_is_sent(self) -> None:
        forged = forge(self.ca)
        file = self.folder / "ca.pem"
        file.write_bytes(pem(self.ca.certificate))
        with ForgedServer(forged) as server:
            for pin in ("A" * 43, ""):
                with self.assertRaises(SecurityError) as caught:
                    # The authority would vouch for it; a pin is stronger.
                    connect(ServerAddress("localhost", server.port, pin), ca_file=file)
                self.assertEqual(caught.exception.cause, "pin-mismatch")
        self.assertEqual(server.told, b"")

    def test_s63_less_than_tls_1_2_is_refused(self) -> None:
        for context in (client_context(), client_context(pin="")):
            self.assertEqual(context.minimum_version, ssl.TLSVersion.TLSv1_2)
            names = {cipher["name"] for cipher in context.get_ciphers()}
            self.assertTrue(all("GCM" in name or "CHACHA20" in name for name in names), names)

    def test_s65_a_server_that_answers_in_clear_is_refused(self) -> None:
        told: list[bytes] = []

        def answer() -> None:
            sock, _ = listener.accept()
            told.append(sock.recv(4096))
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            while more := sock.recv(4096):
                told.append(more)
            sock.close()

        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=answer)
            thread.start()
            with self.assertRaises(SecurityError) as caught:
                connect(ServerAddress("127.0.0.1", listener.getsockname()[1], pin="A" * 43))
            thread.join(patience(10))
        self.assertEqual(caught.exception.cause, "plaintext-server")
        self.assertEqual([data[0] for data in told], [0x16])  # a ClientHello and no more

    def test_a_ca_file_that_cannot_be_read_is_named(self) -> None:
        (self.folder / "bad.pem").write_text("nonsense")
        for name in ("bad.pem", "absent.pem"):
            with self.subTest(name), self.assertRaises(LocalError) as caught:
                client_context(ca_file=self.folder / name)
            self.assertIn(name, str(caught.exception))


def forged_der(forged: Forged) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem(forged.certificate).decode())


class ServerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.files = certificates.ensure(self.folder / "first")
        self.other = certificates.ensure(self.folder / "other")

    def test_s57_an_exposed_key_is_refused(self) -> None:
        self.files.key.chmod(0o644)
        with self.assertRaises(SecurityError) as caught:
            server_context(self.files.certificate, self.files.key)
        self.assertIn(f"chmod 600 '{self.files.key}'", str(caught.exception))

    def test_s62_a_client_cannot_have_keys_renegotiated(self) -> None:
        context = server_context(self.files.certificate, self.files.key)
        self.assertTrue(context.options & ssl.OP_NO_RENEGOTIATION)

    def test_s69_no_tickets_are_issued_in_either_version(self) -> None:
        context = server_context(self.files.certificate, self.files.key)
        self.assertEqual(context.num_tickets, 0)
        self.assertTrue(context.options & ssl.OP_NO_TICKET)

    def test_files_that_do_not_fit_are_refused_in_a_sentence(self) -> None:
        with self.assertRaises(LocalError) as caught:
            server_context(self.files.certificate, self.other.key)
        self.assertIn(str(self.files.certificate), str(caught.exception))

    def test_s66_new_connections_get_the_new_certificate_and_old_ones_go_on(self) -> None:
        with Harness() as server:
            server.tls = ServerTLS(self.files.certificate, self.files.key)
            old = connect(server.address)
            first = server.address
            for path, new in (
                (self.files.certificate, self.other.certificate),
                (self.files.key, self.other.key),
            ):
                path.write_bytes(new.read_bytes())
            server.tls.reload()
            self.assertEqual(server.tls.pin, self.other.pin)
            connect(server.address).close()
            with self.assertRaises(SecurityError):
                connect(first)
            old.send("still here")
            self.assertEqual(old.receive(patience(10)), "still here")
            old.close()

    def test_s66_bad_files_keep_the_old_certificate(self) -> None:
        with Harness() as server:
            server.tls = ServerTLS(self.files.certificate, self.files.key)
            old = connect(server.address)
            # OpenSSL takes this form, and nothing else does.
            trusted = self.files.certificate.read_bytes().replace(b"CERT", b"TRUSTED CERT")
            for path, data in (
                (self.files.key, self.other.key.read_bytes()),
                (self.files.certificate, b"nonsense"),
                (self.files.certificate, b""),
                (self.files.certificate, trusted),
            ):
                good = path.read_bytes()
                path.write_bytes(data)
                with self.assertRaises(BPostError):
                    server.tls.reload()
                path.write_bytes(good)
                connect(server.address).close()
            old.send("still here")
            self.assertEqual(old.receive(patience(10)), "still here")
            old.close()

    def test_s66_reloading_under_load_drops_nothing(self) -> None:
        with Harness() as server:
            server.tls = ServerTLS(self.files.certificate, self.files.key)
            stop = threading.Event()
            failures: list[BaseException] = []

            def load() -> None:
                while not stop.is_set():
                    try:
                        connection = connect(server.address)
                        connection.send("x")
                        connection.receive(patience(10))
                        connection.close()
                    except (TransportError, SecurityError) as error:
                        failures.append(error)

            threads = [threading.Thread(target=load) for _ in range(3)]
            for thread in threads:
                thread.start()
            for _ in range(100):
                server.tls.reload()
            stop.set()
            for thread in threads:
                thread.join(patience(10))
            self.assertEqual(failures, [])


class AddressTest(unittest.TestCase):
    def test_the_deadline_of_a_connection_is_kept(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = ServerAddress("127.0.0.1", silent.getsockname()[1], pin="A" * 43)
            with self.assertRaises(TransportError):
                connect(address, timeout=0.1)
