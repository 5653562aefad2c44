"""What those send who want it to fail.

`inputs` (by parser, of about so many bytes), `shards` (Parquet), `files` (what lies in a folder),
`servers` (on loopback, over raw sockets). `campaign` runs files and servers by hand.
"""
