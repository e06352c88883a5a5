"""Settings. Every value comes through ``rolodesk.env``; docs/settings.md lists the variables."""

from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from rolodesk import env

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Posture ---------------------------------------------------------------------------------
# The embedded demo speaks plain HTTP on loopback; everything else is expected behind TLS.
EMBEDDED = env.flag("ROLODESK_EMBEDDED", default=False)
DEBUG = False
BASE_URL = env.text("ROLODESK_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
DATA_DIR = env.folder("ROLODESK_DATA", default=BASE_DIR / ".data")
ALLOWED_HOSTS = env.words("ROLODESK_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("ROLODESK_TRUSTED_ORIGINS", default=[])
REQUIRE_SECOND_FACTOR = env.flag("ROLODESK_REQUIRE_SECOND_FACTOR", default=not EMBEDDED)

# --- Keys: one each, so that losing one does not open what another protects (security.md W5) ----
SECRET_KEY = env.key("ROLODESK_SECRET_KEY").hex()
LOOKUP_KEY = env.key("ROLODESK_LOOKUP_KEY")
SUPPRESSION_KEY = env.key("ROLODESK_SUPPRESSION_KEY")
AUDIT_KEY = env.key("ROLODESK_AUDIT_KEY")
CURSOR_KEY = env.key("ROLODESK_CURSOR_KEY")
APP_KEY = env.key("ROLODESK_APP_KEY")

# --- Apps -----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "customers",
    "tracking",
    "segments",
    "rolodesk.apps.RolodeskConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "guardian",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "lucide",
    # Both packages rewrite the template loaders when installed under their default names, and the
    # later one wins silently; the plain configurations leave the loaders below alone.
    "django_cotton.apps.SimpleAppConfig",
    "template_partials.apps.SimpleAppConfig",
]

MIDDLEWARE = [
    "rolodesk.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "rolodesk.middleware.PrivateResponseMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "rolodesk.urls"
ASGI_APPLICATION = "rolodesk.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "django_cotton.cotton_loader.Loader",
                                "django.template.loaders.filesystem.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "template_partials.templatetags.partials",
                "rolodesk.templatetags.rolodesk",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "rolodesk.context.shell",
            ],
        },
    }
]
COTTON_DIR = "components"

# --- Database -------------------------------------------------------------------------------
_dsn: dict[str, Any] = conninfo_to_dict(env.text("DATABASE_URL"))
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _dsn.pop("dbname", "rolodesk"),
        "USER": _dsn.pop("user", ""),
        "PASSWORD": _dsn.pop("password", ""),
        "HOST": _dsn.pop("host", ""),
        "PORT": _dsn.pop("port", ""),
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {
            # A generic plan on event or search tables cost 500 times the right one when measured.
            "prepare_threshold": None,
            "options": "-c plan_cache_mode=force_custom_plan -c timezone=UTC"
            " -c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s",
            "pool": {"min_size": 1, "max_size": env.number("ROLODESK_DB_POOL", default=16), "timeout": 10},
            **_dsn,
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIGRATION_MODULES: dict[str, str] = {}

# --- Celery: scheduled and occasional work; ingestion has its own workers --------------------
CELERY_BROKER_URL = env.text("BROKER_URL")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 60 * 30
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Each entry expires before its next turn, so a queue that stood still does not run it twice.
CELERY_BEAT_SCHEDULE = {
    "make partitions ahead": {
        "task": "tracking.tasks.make_partitions",
        "schedule": 6 * 3600.0,
        "options": {"expires": 3600},
    },
    "drop partitions past their keeping": {
        "task": "tracking.tasks.drop_old_partitions",
        "schedule": 24 * 3600.0,
        "options": {"expires": 3600},
    },
    "trim the dirty list": {
        "task": "tracking.tasks.trim_dirty_customers",
        "schedule": 3600.0,
        "options": {"expires": 1800},
    },
    "forget anonymous customers past their keeping": {
        "task": "tracking.tasks.forget_anonymous",
        "schedule": 6 * 3600.0,
        "options": {"expires": 3600},
    },
    "forget expired search handles": {
        "task": "customers.tasks.forget_expired_handles",
        "schedule": 3600.0,
        "options": {"expires": 1800},
    },
}

# --- Sign-in ----------------------------------------------------------------------------------
AUTH_USER_MODEL = "customers.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]  # guardian stores grants, it never decides
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "rolodesk.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = "strict"
MFA_ADAPTER = "rolodesk.accounts.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = EMBEDDED
USERSESSIONS_TRACK_ACTIVITY = False
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "password"]
EMAIL_BACKEND = env.text("ROLODESK_EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
ANONYMOUS_USER_NAME = None  # guardian would otherwise make a user that holds grants

# --- Sessions, cookies, headers ---------------------------------------------------------------
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not EMBEDDED
CSRF_COOKIE_HTTPONLY = True
# The __Host- prefix demands Secure, which plain HTTP on loopback cannot give in every browser.
SESSION_COOKIE_NAME = "rolodesk_session" if EMBEDDED else "__Host-session"
CSRF_COOKIE_NAME = "rolodesk_csrf" if EMBEDDED else "__Host-csrf"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_IDLE_SECONDS = 30 * 60
SECURE_SSL_REDIRECT = not EMBEDDED and env.flag("ROLODESK_SSL_REDIRECT", default=True)
BEHIND_PROXY = env.flag("ROLODESK_BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_HSTS_SECONDS = 0 if EMBEDDED else 31536000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not EMBEDDED
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Static files -------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env.folder("ROLODESK_STATIC_ROOT", default=DATA_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Language and time ----------------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

# --- Logs: routes and codes, never values (security.md L2) -------------------------------------------
LOGGING_CONFIG = None

# --- Dialects: modules with an object ``DIALECT`` each ---------------------------------------------------
DIALECTS = ["dialects.customerio_track.dialect"]
# What clients of Customer.io are told when they ask where their account is: us or eu.
REGION = env.text("ROLODESK_REGION", "us")

# --- Ingestion ---------------------------------------------------------------------------------------
INTAKE_BACKLOG_CAP = env.number("ROLODESK_INTAKE_BACKLOG_CAP", default=4000)
INTAKE_BATCH_OPERATIONS = env.number("ROLODESK_INTAKE_BATCH", default=2000)

# --- Metrics for Prometheus: with a token from anywhere, without one from this machine only --------------
METRICS_TOKEN = env.text("ROLODESK_METRICS_TOKEN", "")
# A scraper on this machine speaks plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^metrics/$"]

# --- Look-ups of whole private identifiers by people who may not see them (security.md N2) -------------
LOOKUPS_PER_MINUTE = 60
LOOKUPS_PER_DAY = 500
