"""What people do in the web shop and the app: look, search, put things in a cart, sometimes buy, come back.

Of all visits some 40 % end where they landed and about one in fourteen fills a cart; seven in ten carts are
looked at again, two in three of those reach the checkout, and three in five of those become an order.
"""

from __future__ import annotations

from random import Random
from typing import Any

from tekil.demo.campaigns import DIRECT, Origin
from tekil.demo.catalogue import SEARCHES, Product, choose_category
from tekil.demo.devices import address, draw
from tekil.demo.life import Life, Memory
from tekil.demo.people import Person
from tekil.demo.rhythm import moment
from tekil.demo.visits import APP, WEB, Visit, marketing_consent
from tekil.demo.wire import Purchase, instant, lira, record, server_context, unique, utc

STAYS = 0.6
PUTS_IN_CART = 0.1
VIEWS_CART = 0.7
CHECKS_OUT = 0.64
COMPLETES = 0.6
ABANDONER_RETURNS = 0.35
FREE_SHIPPING_FROM = 750.0
SHIPPING = 59.9
HOUR, DAY = 3_600.0, 86_400.0


def come(
    life: Life, person: Person, start: float, origin: Origin | None = None, eagerness: float = 1.0
) -> None:
    """Let a person visit the web shop, or the app where they have it, on one of their devices."""
    rng = life.rng
    origin = origin or life.traffic.origin(rng, regular=person.index in life.numbers)
    tablet = life.town.households[person.household].tablet
    in_app = person.app is not None and origin.query == "" and rng.random() < 0.7
    if in_app:
        origin = DIRECT
    if in_app and person.app is not None:
        number = person.app
    elif tablet is not None and rng.random() < 0.25:
        number = tablet
    else:
        number = person.devices[0] if rng.random() < 0.66 else rng.choice(person.devices)
    life.clicked(origin)
    late = 0.0
    if in_app and rng.random() < 0.07:
        late = rng.choice((0.5, 2.0, 9.0, 26.0, 70.0)) * HOUR * (0.5 + rng.random())
    installed = number in life.memories
    visit = Visit(life, life.town.devices[number], life.remember(number, start), person, start, origin, late)
    _share_tablet(visit, person, shared=number == tablet)
    if in_app:
        if not installed:
            visit.track("Application Installed", {"version": visit.device.version, "build": "431"})
        visit.track(
            "Application Opened", {"from_background": rng.random() < 0.4, "version": visit.device.version}
        )
    cart = _browse(visit, eagerness * person.spends)
    if not cart:
        return
    ordered = _check_out(visit, cart) if rng.random() < VIEWS_CART else False
    if not ordered and rng.random() < ABANDONER_RETURNS:
        back = moment(rng, start - start % DAY + DAY * rng.randint(1, 3) - 3 * HOUR)
        if back < life.opens + person.leaves * DAY:
            come(life, person, back, eagerness=eagerness * 1.6)


def pass_by(life: Life, start: float) -> None:
    """Let a stranger visit once and never be heard of again."""
    rng = life.rng
    origin = life.traffic.origin(rng, regular=False)
    life.clicked(origin)
    device = draw(rng, "phone" if rng.random() < 0.76 else "desktop", address(rng))
    _browse(Visit(life, device, Memory(unique(rng)), None, start, origin), 0.4)


def _share_tablet(visit: Visit, person: Person, *, shared: bool) -> None:
    """On a family's tablet somebody else may be signed in; mostly they are signed out first."""
    memory = visit.memory
    if (
        shared
        and memory.user_id is not None
        and memory.user_id not in person.numbers
        and visit.life.rng.random() < 0.7
    ):
        memory.user_id = None


def _browse(visit: Visit, eagerness: float) -> list[tuple[Product, int]]:
    """Land, look around and return what was put in the cart: product and quantity."""
    rng = visit.life.rng
    landing = visit.origin.landing or ("/" if rng.random() < 0.5 else "")
    if landing:
        titles = {"/": "Ana Sayfa"}
        visit.look(landing, titles.get(landing, landing.rpartition("/")[2].replace("-", " ").title()))
    else:
        product = rng.choice(visit.life.products)
        _view_product(visit, product)
    if rng.random() > STAYS:
        return []
    if visit.person is not None and visit.memory.user_id is None and rng.random() < 0.4:
        sign_in(visit, visit.person)
    cart: list[tuple[Product, int]] = []
    for _ in range(1 + int(rng.expovariate(0.9))):
        for product in _list(visit):
            _view_product(visit, product)
            if rng.random() < 0.05:
                visit.track(
                    "Product Added to Wishlist", {"wishlist_name": "Beğendiklerim", **product.listing}
                )
            if rng.random() < PUTS_IN_CART * eagerness:
                quantity = rng.choices((1, 2, 3, 4), (64, 24, 4, 8))[0]
                cart.append((product, quantity))
                visit.track("Product Added", {**product.listing, "quantity": quantity, "currency": "TRY"})
    if visit.person is not None and not visit.app and rng.random() < 0.012:
        _subscribe(visit, visit.person)
    return cart


def _list(visit: Visit) -> list[Product]:
    """Look at a category or search for something; return the products that deserve a closer look."""
    rng = visit.life.rng
    category = choose_category(rng)
    shown = rng.sample(visit.life.shelves[category.slug], 6)
    if rng.random() < 0.2:
        query = rng.choice(SEARCHES)
        visit.look("/arama", "Arama", f"q={query.replace(' ', '+')}")
        visit.track("Products Searched", {"query": query})
    else:
        visit.look(f"/kategori/{category.slug}", category.name)
        visit.track(
            "Product List Viewed",
            {
                "list_id": category.slug,
                "category": category.name,
                "products": [{"product_id": p.sku, "position": n} for n, p in enumerate(shown, 1)],
            },
        )
    return shown[: rng.choices((0, 1, 2, 3), (30, 42, 20, 8))[0]]


def _view_product(visit: Visit, product: Product) -> None:
    visit.look(product.path, product.name)
    visit.track("Product Viewed", {**product.listing, "currency": "TRY"})


def sign_in(visit: Visit, person: Person) -> None:
    """Sign in who has an account; who registered twice uses the one or the other."""
    life = visit.life
    if person.index not in life.numbers:
        return
    number = life.register(person)
    previous, visit.memory.user_id = visit.memory.anonymous_id, number
    if visit.app and life.rng.random() < 0.3:
        visit.alias(previous)
    visit.identify(
        {"email": life.email(person, number), "first_name": person.first_name, "last_name": person.last_name}
    )
    visit.track("Signed In", {"method": life.rng.choice(("şifre", "sms", "google"))})


def _sign_up(visit: Visit, person: Person) -> None:
    life, rng = visit.life, visit.life.rng
    number = visit.memory.user_id = life.register(person)
    wants = person.subscribes
    marketing = marketing_consent(
        email=wants,
        sms=wants and rng.random() < 0.7,
        call=wants and rng.random() < 0.2,
        source="HS_MOBIL" if visit.app else "HS_WEB",
    )
    visit.identify(fill_in(life, person, number), marketing)
    visit.track("Signed Up", {"method": "e-posta"})
    if wants:
        life.opted_in.add(person.index)
        visit.track("Marketing Opted In", marketing)


def fill_in(life: Life, person: Person, number: str | None = None) -> dict[str, Any]:
    """Return what a person fills in a form about themselves; some leave out their birthday."""
    traits: dict[str, Any] = {
        "email": life.email(person, number),
        "phone": life.phone(person),
        "first_name": person.first_name,
        "last_name": person.last_name,
        "city": person.city,
        "district": person.district,
        "segment": "kurumsal" if person.firm else "bireysel",
    }
    if life.rng.random() < 0.6:
        traits |= {"birthday": person.birthday.isoformat(), "gender": person.gender}
    return traits


def _subscribe(visit: Visit, person: Person) -> None:
    """Leave an address in the page's foot; not while somebody else is signed in, whose it would become."""
    life, signed_in_as = visit.life, visit.memory.user_id
    if signed_in_as is not None and signed_in_as not in person.numbers:
        return
    marketing = marketing_consent(email=True, sms=False, call=False, source="HS_WEB")
    visit.identify({"email": life.email(person, signed_in_as, typo=0.03)}, marketing)
    visit.track("Newsletter Subscribed", {"form": "alt-bilgi", "list": "bulten"})
    life.opted_in.add(person.index)
    life.opted_out.discard(person.index)


def _check_out(visit: Visit, cart: list[tuple[Product, int]]) -> bool:
    """Go to the cart and perhaps through the checkout; say whether it became an order."""
    life, rng, person = visit.life, visit.life.rng, visit.person
    products = basket(cart)
    visit.look("/sepet", "Sepetim")
    visit.track("Cart Viewed", {"products": products, "currency": "TRY"})
    if rng.random() > CHECKS_OUT:
        return False
    value = sum(product.price * quantity for product, quantity in cart)
    checkout = unique(rng)
    visit.look("/odeme", "Ödeme")
    visit.track(
        "Checkout Started",
        {"checkout_id": checkout, "value": round(value, 2), "currency": "TRY", "products": products},
    )
    if person is None or rng.random() > COMPLETES:
        return False
    if visit.memory.user_id not in person.numbers:
        _name_buyer(visit, person)
    coupon = rng.choice(life.traffic.coupons) if life.traffic.coupons and rng.random() < 0.35 else None
    properties = bill(life.order_number("A" if visit.app else "W"), cart, coupon, delivered=True)
    properties["checkout_id"] = checkout
    order_id = properties["order_id"]
    visit.look("/tesekkurler", "Siparişiniz Alındı", f"siparis={order_id}")
    purchase = Purchase(person.index, order_id, utc(visit.clock), visit.source, lira(properties["total"]))
    visit.track("Order Completed", properties, purchase)
    life.bought.add(person.index)
    _fulfil(visit, properties)
    return True


def _name_buyer(visit: Visit, person: Person) -> None:
    """Nobody orders without a name: they sign in, sign up, or buy as a guest."""
    life = visit.life
    if person.index in life.numbers:
        sign_in(visit, person)
    elif life.rng.random() < 0.55:
        _sign_up(visit, person)
    else:
        visit.memory.user_id = None
        traits = fill_in(life, person)
        traits["email"] = life.email(person, typo=0.04)
        visit.identify(traits)


def basket(cart: list[tuple[Product, int]]) -> list[dict[str, Any]]:
    """Return a cart as the e-commerce events write it."""
    return [
        {**product.listing, "quantity": quantity, "position": position}
        for position, (product, quantity) in enumerate(cart, 1)
    ]


def bill(
    order_id: str, cart: list[tuple[Product, int]], coupon: str | None, *, delivered: bool
) -> dict[str, Any]:
    """Return an order's properties: `total` is what is paid, `revenue` what the goods bring (TRY, taxed)."""
    goods = sum(product.price * quantity for product, quantity in cart)
    discount = round(goods * 0.15, 2) if coupon else 0.0
    shipping = SHIPPING if delivered and goods - discount < FREE_SHIPPING_FROM else 0.0
    revenue = round(goods - discount, 2)
    properties: dict[str, Any] = {
        "order_id": order_id,
        "currency": "TRY",
        "total": round(revenue + shipping, 2),
        "revenue": revenue,
        "shipping": shipping,
        "tax": round(revenue - revenue / 1.1, 2),
        "discount": discount,
        "products": basket(cart),
    }
    if coupon:
        properties["coupon"] = coupon
    return properties


def _fulfil(visit: Visit, order: dict[str, Any]) -> None:
    """Send what the warehouse says of an order over the next days, and for one in sixteen its return."""
    life, rng = visit.life, visit.life.rng
    order_id, at = order["order_id"], visit.clock
    steps = [
        ("hazırlanıyor", rng.uniform(0.5, 8)),
        ("kargoda", rng.uniform(9, 40)),
        ("teslim edildi", rng.uniform(44, 120)),
    ]
    returned = rng.random() < 0.06
    if returned:
        steps.append(("iade edildi", rng.uniform(150, 400)))
    for status, hours in steps:
        when = at + hours * HOUR
        fields = {"status": status, "channel": visit.source, "total": lira(order["total"]), "currency": "TRY"}
        life.send(WEB, when, record(unique(rng), when, "order", {"order_id": order_id}, fields))
    if returned:
        _refund(life, visit, order, at + steps[-1][1] * HOUR)


def _refund(life: Life, visit: Visit, order: dict[str, Any], at: float) -> None:
    message: dict[str, Any] = {
        "type": "track",
        "event": "Order Refunded",
        "messageId": unique(life.rng),
        "anonymousId": visit.memory.anonymous_id,
        "timestamp": instant(at),
        "properties": {"order_id": order["order_id"], "total": order["revenue"], "currency": "TRY"},
        "context": server_context("analytics-python"),
    }
    if visit.memory.user_id is not None:
        message["userId"] = visit.memory.user_id
    life.send(visit.source if visit.source == APP else WEB, at, message)


def draw_cart(rng: Random, products: tuple[Product, ...]) -> list[tuple[Product, int]]:
    """Draw what somebody carries to a till."""
    count = rng.choices((1, 2, 3, 4), (60, 27, 9, 4))[0]
    return [(product, rng.choices((1, 2, 4), (84, 13, 3))[0]) for product in rng.sample(products, count)]
