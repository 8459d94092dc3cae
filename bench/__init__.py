"""The bench: what the post office can carry, measured beside two reference servers.

``python -m bench --help`` says how to run it, docs/performance.md what came out. Everything runs on
this machine: the server that ships, the references of :mod:`bench.reference`, and the load in
processes of its own. Linux only, since processes are watched through ``/proc``.
"""
