"""The soak: mixed load for an hour, a kill of the server every minute, and a judge at the end.

``python -m tests.soak`` runs it. :mod:`soak` is the course of events, in the parent process;
:mod:`load` a process with some of the users (:mod:`resident`, on a :mod:`line` each) and with
:mod:`strangers` who send rubbish; :mod:`watch` looks at the server's process, and :mod:`verdict`
says from the journals of the loads and from the database what was lost, doubled or invented.
"""
