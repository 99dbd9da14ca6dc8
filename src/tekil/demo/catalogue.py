"""What Minder Evi sells: some hundred and fifty products in eight categories, priced in Turkish lira."""

from __future__ import annotations

from itertools import accumulate
from random import Random
from typing import Any

import msgspec

from tekil.demo.names import plain

SITE = "https://www.minderevi.example"


class Category(msgspec.Struct, frozen=True):
    """A shelf: its name, the prices (TRY) between which its products lie, how often it is looked at."""

    name: str
    slug: str
    lowest: int
    highest: int
    weight: int
    kinds: tuple[str, ...]


class Product(msgspec.Struct, frozen=True):
    """One product. `listing` is what the e-commerce events say of it; `price` is TRY with tax."""

    sku: str
    name: str
    category: Category
    price: float
    path: str
    listing: dict[str, Any]


CATEGORIES = (
    Category(
        "Nevresim Takımları",
        "nevresim-takimlari",
        899,
        3999,
        24,
        ("Nevresim Takımı", "Saten Nevresim", "Ranforce Nevresim"),
    ),
    Category(
        "Kırlentler", "kirlentler", 199, 649, 18, ("Kırlent", "Kadife Kırlent", "Keten Kırlent", "Minder")
    ),
    Category("Havlular", "havlular", 149, 899, 16, ("Banyo Havlusu", "El Havlusu", "Peştemal", "Havlu Seti")),
    Category(
        "Battaniye ve Şallar", "battaniye-ve-sallar", 599, 2299, 12, ("Koltuk Şalı", "Battaniye", "Örgü Şal")
    ),
    Category(
        "Yastık ve Yorganlar",
        "yastik-ve-yorganlar",
        349,
        3499,
        11,
        ("Yastık", "Kaz Tüyü Yorgan", "Yün Yorgan"),
    ),
    Category("Perdeler", "perdeler", 449, 2799, 8, ("Fon Perde", "Tül Perde")),
    Category("Masa Örtüleri", "masa-ortuleri", 249, 1199, 7, ("Masa Örtüsü", "Runner", "Amerikan Servis")),
    Category(
        "Bebek Odası", "bebek-odasi", 299, 2199, 4, ("Bebek Nevresimi", "Müslin Örtü", "Bebek Battaniyesi")
    ),
)
_WEIGHTS = tuple(accumulate(category.weight for category in CATEGORIES))

COLLECTIONS = (
    "Ege",
    "Kapadokya",
    "Çınar",
    "İpekyolu",
    "Boğaz",
    "Likya",
    "Gülistan",
    "Üsküdar",
    "Şirince",
    "Assos",
)
COLOURS = (
    "Kırık Beyaz",
    "Gri",
    "Hardal",
    "Pudra",
    "Çağla Yeşili",
    "Lacivert",
    "Kiremit",
    "Bej",
    "Gül Kurusu",
)
SEARCHES = (
    "çift kişilik nevresim",
    "kırlent kılıfı",
    "peştemal",
    "bambu havlu",
    "koltuk şalı",
    "yün yorgan",
    "ıhlamur yeşili perde",
    "çeyiz seti",
    "bebek battaniyesi",
    "ÖRGÜ ŞAL",
    "minder",
    "keten masa örtüsü",
)


def slug(text: str) -> str:
    """Return a title as an address writes it (`Örgü Şal` → `orgu-sal`)."""
    return "-".join(plain(text).split())


def stock(rng: Random) -> tuple[Product, ...]:
    """Return the assortment, dearer and cheaper within each category's bounds."""
    products: list[Product] = []
    for category in CATEGORIES:
        for number in range(6 + category.weight):
            kind = category.kinds[number % len(category.kinds)]
            colour = rng.choice(COLOURS)
            name = f"{rng.choice(COLLECTIONS)} {kind} {colour}"
            sku = f"MNE-{category.slug[:3].upper()}-{number + 101}"
            spread = category.highest - category.lowest
            price = round(category.lowest + spread * rng.betavariate(1.6, 3.2)) - 0.1
            path = f"/urun/{slug(name)}-{sku.lower()}"
            listing = {
                "product_id": sku,
                "sku": sku,
                "name": name,
                "category": category.name,
                "brand": "Minder Evi",
                "variant": colour,
                "price": price,
                "url": SITE + path,
                "image_url": f"{SITE}/gorsel/{sku.lower()}.webp",
            }
            products.append(Product(sku, name, category, price, path, listing))
    return tuple(products)


def choose_category(rng: Random) -> Category:
    """Draw a category by how often it is looked at."""
    return rng.choices(CATEGORIES, cum_weights=_WEIGHTS)[0]
