"""Replay: what lies in files becomes pages, in an order that only the input decides.

`scan` lists the units of every file, `plan` puts them in their total order, `payload` reads one unit back, and `read`
is the Beam source that streams the plan chunk by chunk.
"""
