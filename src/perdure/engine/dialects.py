"""Which of the two protobuf families a stream speaks, learnt from its answers if need be."""

from perdure.engine.dispatcher import WorkStream
from perdure.engine.work import Dialect
from perdure.wire.actions import shows_dialect
from perdure.wire.generated.work_pb2 import TurnAnswer


def answers_in_microsofts(stream: WorkStream, answer: TurnAnswer) -> bool:
    """Tell how an answer is to be read, and learn from it which dialect its stream speaks."""
    if stream.dialect is Dialect.UNDECIDED:
        microsoft = shows_dialect(answer)
        if microsoft is None:
            return True  # nothing in it means different things
        stream.dialect = Dialect.MICROSOFT if microsoft else Dialect.DAPR
    return stream.dialect is Dialect.MICROSOFT
