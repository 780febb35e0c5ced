"""gRPC over HTTP/2 on asyncio, made for this project.

Why our own (docs/decisions/0009): the transport is the dearest part of a server in Python, and
this one costs a fraction of grpc.aio per call. It speaks what gRPC needs of HTTP/2 (RFC 9113)
and HPACK (RFC 7541, decoded by the `hpack` library) and nothing else: no push, no priorities.

The rooms, each built on those before it:
- `frames` are bytes and numbers, and `reader` makes the one of the other;
- `request` is what a header block asks for, and `headers` are the blocks themselves;
- `messages` puts together what comes in, `wire` what goes out; `windows` is flow control;
- `call` is one stream, and `running` lets a method answer it;
- `calls` keeps those of a connection and has `patience` with it;
- `session` is what is said on a connection, `connection` its socket, and `server` listens.
- `client` is the other half: it makes calls instead of answering them.
"""
