"""Requests to arXiv: one at a time, three seconds apart, retried where they fail transiently.

`rate_limit` (whose turn it is), `budget` (what one exchange may take), `response` (what an HTTP
response means), `http` (one guarded GET), `oai_client` (OAI-PMH), `search` (the Atom API), `sets`
(categories as OAI-PMH sets), `connection` (all of that as configured), `harvest` (windows that are
proven complete).
"""
