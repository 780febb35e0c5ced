"""Each text is what Dapr's sidecar was seen to answer to the same body."""

import pytest

from perdure.api.http.protojson import check
from perdure.base.errors import CallerFault

MEMBERS = {"instanceID": "instanceID", "instance_id": "instanceID", "component": "component"}

READ = [
    "{}",
    '  {"a":1}  ',
    '{"instanceID":null}',
    '{"instanceId":1}',
    '{"instanceID":"\\u00e4"}',
    '{"a":[],"b":{},"c":[1,{"d":[true,null,-0.5e+3]}]}',
    '{"component":"a","instance_id":"b","other":"c","other":"d"}',
]
REFUSED = [
    ("", "unexpected EOF"),
    ("{nope", "syntax error (line 1:2): invalid value nope"),
    ("nope", "syntax error (line 1:1): invalid value nope"),
    ('"out"', 'syntax error (line 1:1): unexpected token "out"'),
    ("[1]", "syntax error (line 1:1): unexpected token ["),
    ("{", "unexpected EOF"),
    ('{"a":', "unexpected EOF"),
    ('{"a"', "unexpected EOF"),
    ('{"a":1', "unexpected EOF"),
    ('{"a', "unexpected EOF"),
    ('{"a\\', "unexpected EOF"),
    ('{"a":1,}', "syntax error (line 1:8): unexpected token }"),
    ('{"a":}', "syntax error (line 1:6): unexpected token }"),
    ('{"a":[1,]}', "syntax error (line 1:9): unexpected token ]"),
    ('{"a":[1}', "syntax error (line 1:8): unexpected token }"),
    ('{"instanceID":1}', "(line 1:15): invalid value for string field instanceID: 1"),
    ('{"instance_id":1}', "(line 1:16): invalid value for string field instanceID: 1"),
    ('{"component":[1]}', "(line 1:14): invalid value for string field component: ["),
    ('{"instanceID":"a","instanceID":"b"}', '(line 1:19): duplicate field "instanceID"'),
    ("{} x", "syntax error (line 1:4): invalid value x"),
    ("{}{}", "syntax error (line 1:3): unexpected token {"),
    ("null", "syntax error (line 1:1): unexpected token null"),
    (
        '{"a" 1}',
        'syntax error (line 1:6): unexpected character 1, missing ":" after field name',
    ),
    ("{'a':1}", "syntax error (line 1:2): invalid value '"),
    ('{"a":NaN}', "syntax error (line 1:6): invalid value NaN"),
    ('{"a":01}', "syntax error (line 1:6): invalid value 01"),
    ('\n\n{"a":\n x}', "syntax error (line 4:2): invalid value x"),
    ('{"a":"\\x"}', 'syntax error (line 1:6): invalid escape code "\\\\x" in string'),
    ('{"a":tru}', "syntax error (line 1:6): invalid value tru"),
    ("-", "syntax error (line 1:1): invalid value -"),
    ("}", "syntax error (line 1:1): unexpected token }"),
    ('{"x":1 "y":2}', 'syntax error (line 1:8): unexpected token "y"'),
]


@pytest.mark.parametrize("body", READ)
def test_what_is_read(body: str) -> None:
    check(body, MEMBERS)


@pytest.mark.parametrize(("body", "text"), REFUSED)
def test_what_is_refused(body: str, text: str) -> None:
    with pytest.raises(CallerFault) as refused:
        check(body, MEMBERS)
    assert str(refused.value) == f"proto: {text}"


def test_a_string_with_what_may_not_stand_in_it() -> None:
    with pytest.raises(CallerFault, match="in string"):
        check('{"a":"\n"}', MEMBERS)


def test_what_is_too_deep() -> None:
    with pytest.raises(CallerFault, match="recursion depth"):
        check('{"a":' + "[" * 10_001, MEMBERS)
    check('{"a":' + "[" * 10_000 + "]" * 10_000 + "}", MEMBERS)
