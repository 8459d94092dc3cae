"""The tests of BPost; the tree mirrors the code."""
