"""A server's own certificates, judged by two other verifiers."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import ssl
import stat
import tempfile
import unittest
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from bpost.errors import LocalError, SecurityError
from bpost.net import certificates
from bpost.net.tls import server_context

NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


class CertificatesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def leaf(self, files: certificates.CertificateFiles) -> x509.Certificate:
        return x509.load_pem_x509_certificate(files.certificate.read_bytes())

    def authority(self, files: certificates.CertificateFiles) -> x509.Certificate:
        return x509.load_pem_x509_certificate(files.ca.read_bytes())

    def test_s64_a_strict_verifier_accepts_the_chain(self) -> None:
        files = certificates.ensure(self.folder, ["chat.example"])
        leaf, ca = self.leaf(files), self.authority(files)
        verifier = PolicyBuilder().store(Store([ca]))
        verifier.build_server_verifier(x509.DNSName("chat.example")).verify(leaf, [])
        self.assertNotEqual(leaf.public_key(), ca.public_key())

    def test_s64_a_leaf_of_another_authority_is_replaced_and_the_pin_stays(self) -> None:
        files = certificates.ensure(self.folder)
        first, pin = self.leaf(files), files.pin
        files.ca_key.unlink()
        files.ca.unlink()
        certificates.ensure(self.folder)
        self.assertNotEqual(self.leaf(files), first)
        self.leaf(files).verify_directly_issued_by(self.authority(files))
        self.assertEqual(files.pin, pin)

    def test_s64_the_authority_itself_is_not_sent(self) -> None:
        files = certificates.ensure(self.folder)
        self.assertEqual(files.certificate.read_bytes().count(b"BEGIN CERTIFICATE"), 1)

    def test_s64_openssl_accepts_the_chain_strictly(self) -> None:
        files = certificates.ensure(self.folder)
        trusting = ssl.create_default_context(cafile=str(files.ca))
        trusting.verify_flags |= ssl.VERIFY_X509_STRICT
        one, other = ssl.MemoryBIO(), ssl.MemoryBIO()
        ends = (
            trusting.wrap_bio(one, other, server_hostname="localhost"),
            server_context(files.certificate, files.key).wrap_bio(other, one, server_side=True),
        )
        for _ in range(2):
            for end in ends:
                with contextlib.suppress(ssl.SSLWantReadError):
                    end.do_handshake()
        self.assertTrue(ends[0].getpeercert())

    def test_s64_leaf_and_ca_say_what_they_are_for(self) -> None:
        files = certificates.ensure(self.folder, ["192.0.2.1"])
        leaf, ca = self.leaf(files), self.authority(files)
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        self.assertEqual(list(usage), [ExtendedKeyUsageOID.SERVER_AUTH])
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
        self.assertEqual(sorted(addresses), ["127.0.0.1", "192.0.2.1", "::1"])
        for kind in (x509.BasicConstraints, x509.KeyUsage):
            self.assertTrue(ca.extensions.get_extension_for_class(kind).critical)
        self.assertEqual(leaf.not_valid_after_utc - leaf.not_valid_before_utc, 365 * DAY)

    def test_a_second_start_changes_nothing(self) -> None:
        files = certificates.ensure(self.folder)
        before = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        certificates.ensure(self.folder)
        self.assertEqual({path.name: path.read_bytes() for path in self.folder.iterdir()}, before)
        self.assertEqual(files.pin, certificates.ensure(self.folder).pin)

    def test_a_leaf_is_renewed_in_time_and_keeps_its_pin(self) -> None:
        files = certificates.ensure(self.folder, now=NOW)
        first, pin = self.leaf(files), files.pin
        certificates.ensure(self.folder, now=NOW + 333 * DAY)
        self.assertEqual(self.leaf(files), first)
        certificates.ensure(self.folder, now=NOW + 335 * DAY)
        self.assertNotEqual(self.leaf(files), first)
        self.assertEqual(files.pin, pin)

    def test_a_ca_is_renewed_before_it_is_outlived(self) -> None:
        files = certificates.ensure(self.folder, now=NOW)
        certificates.ensure(self.folder, now=NOW + certificates.CA_LIFE - 10 * DAY)
        leaf, ca = self.leaf(files), self.authority(files)
        self.assertGreater(ca.not_valid_after_utc, leaf.not_valid_after_utc)

    def test_s43_a_clock_before_this_program_was_made_replaces_no_certificate(self) -> None:
        files = certificates.ensure(self.folder, now=NOW)
        first = self.leaf(files)
        epoch = datetime.datetime(1970, 1, 2, tzinfo=datetime.timezone.utc)
        certificates.ensure(self.folder, now=epoch)
        self.assertEqual(self.leaf(files), first)

    def test_s43_what_was_made_by_a_wrong_clock_is_made_anew_when_it_is_right(self) -> None:
        for wrong in (NOW.replace(year=1970), NOW.replace(year=2060)):
            files = certificates.ensure(self.folder / str(wrong.year), now=wrong)
            pin = files.pin
            certificates.ensure(self.folder / str(wrong.year), now=NOW)
            authority = x509.load_pem_x509_certificate(files.ca.read_bytes())
            for made in (self.leaf(files), authority):
                with self.subTest(year=wrong.year, made=made.subject):
                    self.assertLess(made.not_valid_before_utc, NOW)
                    self.assertGreater(made.not_valid_after_utc, NOW)
            self.assertEqual(files.pin, pin)

    def test_a_new_name_is_added_and_the_pin_stays(self) -> None:
        pin = certificates.ensure(self.folder).pin
        files = certificates.ensure(self.folder, ["chat.example"])
        names = self.leaf(files).extensions.get_extension_for_class(x509.SubjectAlternativeName)
        self.assertIn("chat.example", names.value.get_values_for_type(x509.DNSName))
        self.assertEqual(files.pin, pin)

    def test_keys_are_the_owners_alone_even_under_a_loose_umask(self) -> None:
        folder = self.folder / "certs"
        old = os.umask(0)
        try:
            files = certificates.ensure(folder)
        finally:
            os.umask(old)
        for path, mode in {folder: 0o700, files.key: 0o600, files.ca_key: 0o600}.items():
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), mode, path)
        self.assertEqual(len(list(folder.iterdir())), 4)

    def test_s57_an_exposed_key_is_refused_with_the_command_that_mends_it(self) -> None:
        files = certificates.ensure(self.folder)
        for mode in (0o640, 0o604, 0o620):
            files.key.chmod(mode)
            with self.subTest(oct(mode)), self.assertRaises(SecurityError) as caught:
                certificates.ensure(self.folder)
            self.assertEqual(caught.exception.cause, "exposed-file")
            self.assertIn(f"chmod 600 '{files.key}'", str(caught.exception))

    def test_a_folder_that_holds_something_else_is_refused_in_a_sentence(self) -> None:
        (self.folder / "server-key.pem").write_text("nonsense")
        (self.folder / "server-key.pem").chmod(0o600)
        with self.assertRaises(LocalError):
            certificates.ensure(self.folder)
        self.assertEqual((self.folder / "server-key.pem").read_text(), "nonsense")

    def test_the_pin_is_that_of_the_key(self) -> None:
        files = certificates.ensure(self.folder)
        der = self.leaf(files).public_bytes(serialization.Encoding.DER)
        self.assertEqual(certificates.pin_of(der), files.pin)
        self.assertEqual(len(files.pin), 43)
