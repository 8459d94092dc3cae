from __future__ import annotations

import json
import re
import unittest
from pathlib import Path

from bpost.protocol import requests
from bpost.protocol.codes import SEPARATOR, Code, Reason
from bpost.protocol.frames import parse_reply, parse_request
from bpost.protocol.payload import parse_payload

DOCS = Path(__file__).resolve().parents[2] / "docs"


class DocumentedFramesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.page = (DOCS / "protocol.md").read_text(encoding="utf-8")

    def test_every_frame_of_the_examples_is_one(self) -> None:
        blocks = re.findall(r"```frames\n(.*?)```", self.page, re.DOTALL)
        lines = "".join(blocks).splitlines()
        self.assertGreater(len(lines), 20)
        for line in lines:
            text = line[2:].replace("·", SEPARATOR)
            with self.subTest(line=line):
                if "hunter2" in line:
                    continue
                parse = parse_request if line[0] == ">" else parse_reply
                self.assertEqual(parse(text).text(), text)

    def test_every_code_and_every_reason_is_explained(self) -> None:
        for code in Code:
            self.assertRegex(self.page, rf"\n\| {int(code)} [a-z]")
        for reason in (value for name, value in vars(Reason).items() if name.isupper()):
            self.assertIn(f"`{reason}`", self.page)

    def test_every_word_of_a_request_is_listed(self) -> None:
        for cls in requests.REQUESTS:
            if len(cls.head) > 1:
                self.assertIn("·".join(cls.head), self.page)

    def test_the_payload_of_the_example_is_one(self) -> None:
        page = (DOCS / "envelope.md").read_text(encoding="utf-8")
        (shown,) = re.findall(r"```json\n(\{\"conversation\".*?)```", page, re.DOTALL)
        data = json.dumps(json.loads(shown), separators=(",", ":"), sort_keys=True).encode()
        self.assertEqual(parse_payload(data).to_bytes(), data)
