"""Orders in a FastAPI application: `uvicorn web:app --workers 1`.

The engine opens and closes with the application, by its lifespan. A file has one engine, so it is
one worker process; more of them would open a door with `grpc=` in one, or share a database.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException
from orders import Order, order, registry

from perdure import Engine, InstanceExists, InstanceFinished, InstanceNotFound

engine = Engine("orders.db", registry=registry)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with engine:
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/orders/{number}", status_code=202)
async def place(number: str, placed: Order) -> dict[str, str]:
    """Take an order: when this answers it is on disk."""
    try:
        await engine.start(order, placed, id=number)
    except InstanceExists as error:
        raise HTTPException(409, str(error)) from error
    return {"number": number}


@app.post("/orders/{number}/approval", status_code=202)
async def approve(number: str, *, approved: bool) -> None:
    """Approve an order, or not."""
    try:
        await engine.raise_event(number, "approval", approved)
    except InstanceNotFound as error:
        raise HTTPException(404, str(error)) from error
    except InstanceFinished as error:
        raise HTTPException(409, str(error)) from error


@app.get("/orders/{number}")
async def look(number: str) -> dict[str, Any]:
    """Tell how an order stands."""
    instance = await engine.get(number)
    if instance is None:
        raise HTTPException(404, f"there is no order {number}")
    return {
        "number": number,
        "status": instance.status.name,
        "now": instance.custom_status,
        "result": instance.output,
    }
