"""Requests to arXiv: one at a time, three seconds apart, retried where they fail transiently.

`response` (what an HTTP response of arXiv means), `http` (one guarded GET, by `flows.common.http`),
`oai_client` (OAI-PMH), `search` (the Atom API), `sets` (categories as OAI-PMH sets), `connection`
(all of that as configured), `harvest` (windows that are proven complete).
"""
