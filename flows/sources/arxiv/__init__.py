"""How arXiv is asked: one request at a time, three seconds apart, again when it fails in passing.

`pace` (whose turn it is), `budget` (what one exchange may take), `answer` (what an HTTP answer
means), `fetch` (one guarded GET), `client` (OAI-PMH), `search` (the Atom API), `sets` (categories
as OAI-PMH sets).
"""
