"""Distinct, realistic order messages, the same for a seed: the benchmarks' own data."""
import json
import random

NAMES = ["Ada Obi", "Nikhil Silva", "Zoë Müller", "Elif Chen", "José Ramírez", "Carla Smith", "Wei Haddad"]
PRODUCTS = ["Espresso Beans 1kg", "Laptop Sleeve 13\"", "Running Shoes", "Water Bottle 750ml", "Desk Lamp",
            "Notebook A5", "Wool Socks"]
STREETS = ["High Street", "Rue de la Paix", "Hauptstraße", "5th Avenue", "Calle Mayor"]
NOTES = ["Leave at the door.", "C:\\path\\to\\file", "Call before\ndelivery", "", "gift: \"for Ada\""]


def address(r):
    return {"street_line1": f"{r.randint(1, 9999)} {r.choice(STREETS)}",
            "street_line2": r.choice([None, f"Apt {r.randint(1, 99)}"]),
            "city": r.choice(["Paris", "Lagos", "São Paulo", "New York"]),
            "postal_code": f"{r.randint(0, 99999):05d}", "country_code": r.choice(["FR", "NG", "BR", "US"])}


def item(r):
    return {"item_id": f"li_{r.getrandbits(64):016x}", "product_id": r.randint(1, 10**6),
            "product_name": r.choice(PRODUCTS), "sku": f"SKU-{r.randint(10000, 99999)}-{r.choice('ABCDE')}",
            "quantity": r.randint(1, 5), "unit_price": round(r.uniform(1, 999), 2),
            "tax_rate": r.choice([0.2, 0.25, 0.0825]), "is_gift": r.random() < 0.1,
            "discount_amount": r.choice([None, round(r.uniform(1, 99), 2)])}


def order(r, items):
    return {"order_id": r.getrandbits(r.choice([27, 48, 62])),
            "order_status": r.choice(["pending_payment", "shipped", "delivered", "cancelled"]),
            "customer_name": r.choice(NAMES), "customer_email": f"{r.getrandbits(48):012x}@example.com",
            "created_at": f"2025-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}T{r.randint(0, 23):02d}:09:07Z",
            "updated_at": f"2025-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}T{r.randint(0, 23):02d}:59:01Z",
            "currency": r.choice(["EUR", "GBP", "USD"]), "shipping_address": address(r),
            "billing_address": address(r), "line_items": [item(r) for _ in range(items)],
            "payment": {"payment_method": r.choice(["card", "paypal"]),
                        "transaction_id": f"tx_{r.getrandbits(96):024x}",
                        "amount_captured": round(r.uniform(1, 999), 2), "amount_refunded": 0.0,
                        "risk_score": r.randint(0, 99), "is_live": True},
            "internal_notes": r.choice(NOTES), "tags": r.sample(["fragile", "wholesale", "repeat", "gift"], 2),
            "metadata": {"source_channel": r.choice(["web", "app"]), "utm_campaign": r.choice(["none", "black_friday"]),
                         "session_id": f"{r.getrandbits(128):032x}"}}


def without_some(value, r):
    """A quarter of the members left out, some members unknown, and the order shuffled: the honest case."""
    if isinstance(value, list):
        return [without_some(v, r) for v in value]
    if not isinstance(value, dict):
        return value
    members = [(k, without_some(v, r)) for k, v in value.items() if k == "data" or r.random() > 0.25]
    if r.random() < 0.2:
        members.append((f"extra_field_{r.randint(1, 40)}", r.randint(0, 999)))
    r.shuffle(members)
    return dict(members)


def messages(count, seed=1, shuffled=False):
    """Lists of two orders, about 2 KB each, as compact JSON text in UTF-8."""
    r = random.Random(seed)
    for n in range(count):
        m = {"data": [order(r, r.randint(1, 3)), order(r, r.randint(0, 2))],
             "meta": {"page": n, "page_size": 2, "total_count": 2534, "has_more": True,
                      "request_id": f"req_{r.getrandbits(64):016x}"}}
        if shuffled:
            m = without_some(m, r)
        yield json.dumps(m, separators=(",", ":"), ensure_ascii=r.random() < 0.5).encode()
