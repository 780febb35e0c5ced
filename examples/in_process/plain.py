"""Orders in a plain asyncio program: `python plain.py`."""

import asyncio

from orders import Order, order, registry

from perdure import Engine


async def main() -> None:
    async with Engine("orders.db", registry=registry, stop_timeout=20) as engine:
        small = await engine.start(order, Order(customer="Ada", amount=700))
        print("small:", await small.result(timeout=30))

        large = await engine.start(order, Order(customer="Percy", amount=9_000), tags={"vip": "no"})
        await large.wait_for_start(timeout=30)
        found = await large.get()
        print("large:", found.custom_status if found else "gone")
        await large.raise_event("approval", True)
        print("large:", await large.result(timeout=30))

        lost = await engine.start(order, Order(customer="Ada", amount=1, city="Atlantis"))
        print("lost:", await lost.result(timeout=30))


if __name__ == "__main__":
    asyncio.run(main())
