"""Invented customers, the same in every run: a name, an e-mail, a phone, a city and a plan.

Numbers are from the range 555-0100 to 555-0199, which belongs to nobody; e-mail domains end in
``.example``, which can never exist.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from faker import Faker

SEED = 1997
# Locale, weight, and how many first names, last names and cities to draw from.
LOCALES = {"en_US": 40, "en_GB": 12, "de_DE": 10, "es_ES": 9, "pl_PL": 6, "it_IT": 6, "sv_SE": 5, "cs_CZ": 4}
POOLS = {"first": 400, "last": 600, "city": 60}
DOMAINS = ("mailbox.example", "letterbox.example", "postkasten.example", "correo.example", "skrzynka.example")
MAX_LOCAL_PART = 48
LINES = 100
FIRST_LINE = 100
# As a list of texts it would be a page long.
AREA_CODES = (  # noqa: SIM905
    "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 220 223 224 225 227 228 229 231 234 235"
    " 239 240 248 251 252 253 254 256 260 262 267 269 270 272 274 276 279 281 283 301 302 303 304 305 307 308 309"
    " 310 312 313 314 315 316 317 318 319 320 321 323 324 325 326 327 329 330 331 332 334 336 337 339 341 346 347"
    " 350 351 352 353 360 361 363 364 369 380 385 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417 419"
    " 423 424 425 430 432 434 435 440 442 443 445 447 448 458 463 464 469 470 472 475 478 479 480 484 601 602 603"
    " 605 606 607 608 609 610 612 614 615 616 617 618 619 620 623 626 628 629 630 631 636 640 641 645 646 650 651"
    " 656 657 659 660 661 662 667 669 678 680 681 682 686 689 701 702 703 704 706 707 708 712 713 714 715 716 717"
    " 718 719 720 724 725 726 727 728 730 731 732 734 737 738 740 743 747 748 754 757 760 762 763 765 769 770 771"
    " 772 773 774 775 779 781 785 786 901 903 904 906 907 908 909 910 912 913 914 915 916 917 918 919 920 925 928"
).split()
# Letters that Unicode does not take apart into a base and an accent.
PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"})
PLANS = ("Basic", "Plus", "Gold")
# Chances of the plans by the number of orders from which they hold: those who buy more pay for more.
CHANCES = ((15, (1, 3, 8)), (5, (3, 6, 2)), (2, (7, 4, 1)), (0, (15, 2, 0)))


@dataclass(frozen=True, slots=True)
class Person:
    """One invented customer."""

    number: int
    external_id: str
    name: str
    email: str
    phone: str
    city: str
    plan: str


@dataclass(frozen=True, slots=True)
class _Pool:
    """Names of one locale to draw from."""

    first: list[str]
    last: list[str]
    city: list[str]


def invent(orders: dict[int, int]) -> Iterable[Person]:
    """People for these customer numbers and their numbers of orders, in the order of the numbers.

    E-mails and phones are unique among them; the same numbers give the same people.
    """
    pools = {locale: _pool(locale) for locale in LOCALES}
    locales, weights = list(LOCALES), list(LOCALES.values())
    taken: set[str] = set()
    for number in sorted(orders):
        random = Random(f"{SEED}:{number}")  # noqa: S311  # no secret
        pool = pools[random.choices(locales, weights)[0]]
        first, last, city = random.choice(pool.first), random.choice(pool.last), random.choice(pool.city)
        email = _email(first, last, random.choice(DOMAINS), taken)
        plan = random.choices(PLANS, _chances(orders[number]))[0]
        yield Person(number, f"CD-{number:05d}", f"{first} {last}", email, _phone(number), city, plan)


def _pool(locale: str) -> _Pool:
    """Drawing single names for everybody from Faker itself would take minutes."""
    faker = Faker(locale)
    faker.seed_instance(SEED)

    def draw(make: Callable[[], str], times: int) -> list[str]:
        return list(dict.fromkeys(make() for _ in range(times)))

    return _Pool(
        draw(faker.first_name, POOLS["first"]), draw(faker.last_name, POOLS["last"]), draw(faker.city, POOLS["city"])
    )


def _email(first: str, last: str, domain: str, taken: set[str]) -> str:
    """first.last at the domain; whoever comes second by that name gets a number, as in life."""
    local = f"{_plain(first)}.{_plain(last)}"[:MAX_LOCAL_PART].strip(".")
    email, attempt = f"{local}@{domain}", 1
    while email in taken:
        attempt += 1
        email = f"{local}{attempt}@{domain}"
    taken.add(email)
    return email


def _plain(name: str) -> str:
    spread = unicodedata.normalize("NFKD", name.lower().translate(PLAIN))
    return re.sub(r"[^a-z0-9]", "", spread)


def _phone(number: int) -> str:
    """A number of its own for each of the first 24,000 or so; then they would repeat, so it refuses."""
    line, area = divmod(number, len(AREA_CODES))
    if line >= LINES:
        message = "there are not so many invented phone numbers"
        raise ValueError(message)
    return f"+1{AREA_CODES[area]}5550{FIRST_LINE + line}"


def _chances(orders: int) -> tuple[int, int, int]:
    return next(chances for least, chances in CHANCES if orders >= least)
