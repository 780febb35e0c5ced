"""gRPC over HTTP/2 on asyncio, made for this server.

Why our own (docs/decisions/0009): the transport is the dearest part of a server in Python, and
this one costs a fraction of grpc.aio per call. It speaks what gRPC needs of HTTP/2 (RFC 9113)
and HPACK (RFC 7541, decoded by the `hpack` library) and nothing else: no push, no priorities.

The rooms: `frames` are bytes and numbers, `reader` makes the one of the other; `headers` are
blocks and lists; `windows` is flow control; `call` is one stream, `running` lets a method answer
it; `calls` has the rules for all streams of a connection; `connection` is one socket; `server`
listens.
"""
