"""Orders in a script that is not async: `python script.py`. Run twice, it does nothing twice."""

from orders import Order, order, registry

from perdure import InstanceExists, SyncEngine

ORDERS = {
    "2026-001": Order(customer="Ada", amount=700),
    "2026-002": Order(customer="Grace", amount=20, city="Oslo"),
}

with SyncEngine("orders.db", registry=registry) as engine:
    for number, placed in ORDERS.items():
        try:
            engine.start(order, placed, id=number)
        except InstanceExists:
            print(f"{number} is known")
    for number in ORDERS:
        print(f"{number}: {engine.handle(number).result(timeout=30)}")
