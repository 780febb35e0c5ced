"""The calling half of the transport: unary calls and streams of answers, on one connection.

- `call` is one stream as its caller sees it, `peer` what is said on a connection, without the
  socket; `channel` is the connection, opened when it is needed and again when it was lost.

It asks for what our own server and any other gRPC server gives: no push, no compression, one
message a request. What a call ends with, if not with OK, is raised as `CallFailed`.
"""
