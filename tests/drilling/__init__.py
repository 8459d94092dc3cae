"""The disaster drill: many users, a lying channel, kills, and folders put back from old copies.

``python -m tests.drill`` runs it. :mod:`drill` is the course of events, in the parent process;
:mod:`worker` a process with the real clients of some users, :mod:`faults` the channel that lies,
and :mod:`verdict` what is demanded at the end. The server is the real one, a process of its own.
:mod:`model` is a small one in a single process, with simulated devices.
"""
