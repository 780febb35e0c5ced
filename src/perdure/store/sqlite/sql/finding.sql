-- The pieces that a listing is composed of; what stands in braces is filled in.

-- name: page
{columns} {path} WHERE {condition} ORDER BY {order} LIMIT ?;

-- name: few_keys
key IN ({keys});

-- name: count_keys
SELECT count(*) FROM ({keys} LIMIT {limit});

-- name: keys
SELECT key FROM instances WHERE {condition};
