"""What the server's TLS agrees to, asked of the program by clients that offer one thing alone."""

from __future__ import annotations

import socket
import ssl
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from bpost.net.groups import restrict_groups
from tests.net.harness import blind_context
from tests.server.parts import Process
from tests.support import patience

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class OfferTest(unittest.TestCase):
    """A server as it is started without a word about TLS."""

    server: Process

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.server = Process(Path(folder.name, "data"))
        cls.addClassCleanup(cls.server.end)

    def agrees(self, version: ssl.TLSVersion, *, suites: str = "", group: str = "") -> bool:
        """Offer one version, and only these suites or this group; tell whether TLS comes about."""
        context = blind_context()
        context.minimum_version = context.maximum_version = version
        if suites:
            context.set_ciphers(suites)
        if group:
            context.set_ecdh_curve(group)
        address = ("127.0.0.1", self.server.port)
        with socket.create_connection(address, patience(20)) as sock:
            try:
                with context.wrap_socket(sock) as stream:
                    self.assertIsNone(stream.compression())
                    return True
            except ssl.SSLError:
                return False

    def test_s62_only_forward_secret_suites_with_aead_are_agreed_on(self) -> None:
        for suites, expected in {
            "ECDHE-ECDSA-AES256-GCM-SHA384": True,
            "ECDHE-ECDSA-AES128-GCM-SHA256": True,
            "ECDHE-ECDSA-CHACHA20-POLY1305": True,
            "ECDHE-ECDSA-AES256-SHA384": False,
            "ECDHE-ECDSA-AES128-SHA256": False,
            "ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA": False,
            "ECDHE-ECDSA-AES256-CCM": False,
        }.items():
            with self.subTest(suites):
                self.assertEqual(self.agrees(TLS12, suites=suites), expected)

    def test_s62_only_tls_1_2_and_1_3_are_spoken(self) -> None:
        for version, expected in {
            TLS13: True,
            TLS12: True,
            ssl.TLSVersion.TLSv1_1: False,
            ssl.TLSVersion.TLSv1: False,
        }.items():
            with self.subTest(version):
                self.assertEqual(self.agrees(version, suites="ALL:@SECLEVEL=0"), expected)

    def test_s62_only_groups_that_are_needed_are_agreed_on(self) -> None:
        for version, group, expected in (
            (TLS12, "prime256v1", True),
            (TLS13, "prime256v1", True),
            (TLS13, "secp384r1", True),
            (TLS13, "secp521r1", False),
        ):
            with self.subTest(version=version, group=group):
                self.assertEqual(self.agrees(version, group=group), expected)

    def test_where_openssl_is_out_of_reach_its_own_list_stays(self) -> None:
        for fault in (AttributeError, OSError):
            with mock.patch("ctypes.CDLL", side_effect=fault):
                self.assertFalse(restrict_groups())
