"""Settings of the naive application: nothing but itself, and connections that stay open."""

from rolodesk.settings import DATABASES as _DATABASES
from rolodesk.settings import DEFAULT_AUTO_FIELD, SECRET_KEY, USE_TZ

__all__ = ["DEFAULT_AUTO_FIELD", "SECRET_KEY", "USE_TZ"]

INSTALLED_APPS = ["bench.naive"]
ROOT_URLCONF = "bench.naive.urls"
WSGI_APPLICATION = "bench.naive.wsgi.application"
ALLOWED_HOSTS = ["127.0.0.1"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
_default = _DATABASES["default"]
DATABASES = {"default": _default | {"OPTIONS": {k: v for k, v in _default["OPTIONS"].items() if k != "pool"}}}
DATABASES["default"]["CONN_MAX_AGE"] = None
